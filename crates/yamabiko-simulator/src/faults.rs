//! Failures that are switched on, for calls of the bot and for webhooks, to see what it makes of them.

mod call;
mod effect;
mod fault;

pub(crate) use self::call::Call;
pub(crate) use self::effect::{CallEffect, CallFault, Limit, Moment, WebhookFault};
pub(crate) use self::fault::{Fault, Property};

/// The endpoint of a fault that hits webhooks instead of calls.
const CALLBACK: &str = "callback";

/// Holds the failures that are switched on, in the order of their switching.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Active>);

/// Is a failure that is on, with the dice that say whom it hits.
#[derive(Debug)]
struct Active {
    fault: Fault,
    dice: fastrand::Rng,
}

impl Faults {
    /// Switches a failure on.
    pub(crate) fn add(&mut self, fault: Fault) {
        let dice = fastrand::Rng::with_seed(fault.seed);
        self.0.push(Active { fault, dice });
    }

    /// Switches all failures off.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The failures that are on.
    pub(crate) fn list(&self) -> Vec<&Fault> {
        self.0.iter().map(|active| &active.fault).collect()
    }

    /// Whether no failure is on.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells what happens to a call, if a failure hits it.
    pub(crate) fn hit_call(&mut self, call: &Call) -> Option<CallFault> {
        let concerns = |fault: &Fault| {
            (fault.endpoint == call.endpoint || fault.endpoint == "*")
                && fault.is_of_chat(call.chat.as_deref())
                && fault.refuse.is_none_or(|property| call.places(property).next().is_some())
        };
        let (fault, mut dice) = self.hit(concerns)?;
        Some(effect::of_call(fault, call, &mut dice))
    }

    /// Tells what happens to the first delivery of a webhook; nothing if no failure hits it.
    pub(crate) fn hit_webhook(&mut self, chat: &str) -> WebhookFault {
        let hit = self.hit(|fault| fault.endpoint == CALLBACK && fault.is_of_chat(Some(chat)));
        hit.map(|(fault, mut dice)| effect::of_webhook(&fault, &mut dice)).unwrap_or_default()
    }

    /// Takes the first failure that hits; a counted one has one hit less then.
    ///
    /// A failure throws its dice for everything that reaches it, so that its hits depend on
    /// nothing but its seed. The dice that come with the hit throw the rest of it.
    fn hit(&mut self, concerns: impl Fn(&Fault) -> bool) -> Option<(Fault, fastrand::Rng)> {
        let hit = |Active { fault, dice }: &mut Active| concerns(fault) && dice.f64() < fault.rate;
        let at = self.0.iter_mut().position(hit)?;
        let active = &mut self.0[at];
        let (fault, dice) = (active.fault.clone(), active.dice.fork());
        match &mut active.fault.count {
            Some(1) => drop(self.0.remove(at)),
            Some(count) => *count -= 1,
            None => {}
        }
        Some((fault, dice))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn on(faults: &[Value]) -> Faults {
        let mut all = Faults::default();
        for fault in faults {
            all.add(serde_json::from_value(fault.clone()).expect("is a fault"));
        }
        all
    }

    fn call(endpoint: &str) -> Call {
        Call { endpoint: endpoint.to_owned(), ..Call::default() }
    }

    fn hits(faults: &mut Faults, calls: usize) -> Vec<bool> {
        (0..calls).map(|_| faults.hit_call(&call("push")).is_some()).collect()
    }

    #[test]
    fn a_counted_fault_ends_after_its_hits() {
        let mut faults = on(&[json!({ "endpoint": "push", "status": 500, "count": 2 })]);
        assert!(faults.hit_call(&call("reply")).is_none());
        assert_eq!(hits(&mut faults, 3), [true, true, false]);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_fault_without_a_count_stays_until_cleared() {
        let mut faults = on(&[json!({ "endpoint": "*", "status": 500 })]);
        assert!(
            faults.hit_call(&call("push")).is_some() && faults.hit_call(&call("profile")).is_some()
        );
        faults.clear();
        assert!(faults.hit_call(&call("push")).is_none());
    }

    #[test]
    fn a_fault_for_all_calls_does_not_hit_webhooks_and_the_other_way_round() {
        let mut calls = on(&[json!({ "endpoint": "*", "delayMs": 1 })]);
        assert_eq!(calls.hit_webhook("U1"), WebhookFault::default());
        let mut webhooks = on(&[json!({ "endpoint": "callback", "lose": true })]);
        assert!(webhooks.hit_call(&call("push")).is_none());
        assert!(webhooks.hit_webhook("U1").lose);
    }

    #[test]
    fn the_same_seed_gives_the_same_hits_and_another_seed_gives_others() {
        let fault =
            |seed: u64| json!({ "endpoint": "push", "status": 500, "rate": 0.5, "seed": seed });
        let one = hits(&mut on(&[fault(1)]), 64);
        assert_eq!(one, hits(&mut on(&[fault(1)]), 64));
        assert_ne!(one, hits(&mut on(&[fault(2)]), 64));
        let unnamed = json!({ "endpoint": "push", "status": 500, "rate": 0.5 });
        assert_eq!(one, hits(&mut on(&[unnamed]), 64), "the seed is 1 if none is given");
    }

    #[test]
    fn a_rate_of_0_hits_nothing_and_one_of_a_tenth_about_a_tenth() {
        let fault = |rate: f64| json!({ "endpoint": "push", "status": 500, "rate": rate });
        let hit = |rate| hits(&mut on(&[fault(rate)]), 1_000).iter().filter(|hit| **hit).count();
        assert_eq!((hit(0.0), hit(1.0)), (0, 1_000));
        assert!((70..130).contains(&hit(0.1)), "{}", hit(0.1));
    }

    #[test]
    fn the_first_fault_that_hits_counts() {
        let mut faults = on(&[
            json!({ "endpoint": "push", "status": 503, "count": 1 }),
            json!({ "endpoint": "push", "limit": "quota", "count": 1 }),
        ]);
        let mut status = || match faults.hit_call(&call("push"))?.effect? {
            CallEffect::Refuse { status, .. } => Some(status),
            CallEffect::Invalid(_) | CallEffect::Silence(_) | CallEffect::Reset(_) => None,
        };
        assert_eq!([status(), status(), status()], [Some(503), Some(429), None]);
    }

    #[test]
    fn a_fault_of_a_chat_hits_calls_and_webhooks_of_that_chat_only() {
        let mut faults = on(&[
            json!({ "endpoint": "push", "status": 403, "chat": "U1" }),
            json!({ "endpoint": "callback", "lose": true, "chat": "U1" }),
        ]);
        let mut hit = |chat: &str| {
            let call = Call { chat: Some(chat.to_owned()), ..call("push") };
            (faults.hit_call(&call).is_some(), faults.hit_webhook(chat).lose)
        };
        assert_eq!((hit("U1"), hit("U2")), ((true, true), (false, false)));
        assert!(faults.hit_call(&call("push")).is_none());
    }

    #[test]
    fn a_call_tells_its_chat_by_its_recipient_its_reply_token_or_its_address() {
        let chat = |path: &str, body: Value| {
            let chat_of = |token: &str| (token == "t").then(|| "U2".to_owned());
            Call::read("", path, body.to_string().as_bytes(), chat_of).chat
        };
        for (path, body, expected) in [
            ("/v2/bot/message/push", json!({ "to": "U1" }), Some("U1")),
            ("/v2/bot/message/reply", json!({ "replyToken": "t" }), Some("U2")),
            ("/v2/bot/chat/loading/start", json!({ "chatId": "U3" }), Some("U3")),
            ("/v2/bot/profile/U4", Value::Null, Some("U4")),
            ("/v2/bot/group/C1/member/U4", Value::Null, Some("C1")),
            ("/v2/bot/info", Value::Null, None),
        ] {
            assert_eq!(chat(path, body).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_property_is_refused_where_a_message_has_it_and_nowhere_else() {
        let fault = json!({ "endpoint": "push", "refuse": "quoteToken", "count": 1 });
        let mut faults = on(&[fault]);
        let push = |body: Value| Call::read("push", "", body.to_string().as_bytes(), |_| None);
        assert!(faults.hit_call(&push(json!({ "messages": [{ "quickReply": {} }] }))).is_none());
        let quoting = push(json!({ "messages": [{}, { "quoteToken": "q" }] }));
        let effect = faults.hit_call(&quoting).and_then(|hit| hit.effect);
        assert_eq!(effect, Some(CallEffect::Invalid(vec!["messages[1].quoteToken".to_owned()])));
        assert!(faults.list().is_empty());
    }
}
