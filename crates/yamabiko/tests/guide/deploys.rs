//! State, deployments, crashes, dead jobs.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use yamabiko::{
    App, Context, Job, Lane, Message, Permanent, Result, TextMessage, testing::TestBot,
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cart {
    items: Vec<String>,
}

fn app() -> App<Cart> {
    App::new("shop")
        .with_state::<Cart>()
        // Version 1 stored no more than a list.
        .migrate_state(2, |_version, old| Ok(Cart { items: serde_json::from_value(old)? }))
        .on_text(on_text)
        .job::<Order>()
        .on_dead(|dead| Some(Message::text(format!("Sorry: {}", dead.error))))
}

async fn on_text(cx: Context<Cart>, message: TextMessage) -> Result {
    let mut cart = cx.state();
    if message.text == "order" {
        cx.enqueue(Order { items: cart.items });
    } else {
        cart.items.push(message.text);
        cx.set_state(cart);
    }
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct Order {
    items: Vec<String>,
}

impl Job<Cart> for Order {
    const KIND: &'static str = "order";
    const LANE: Lane = Lane::None;

    async fn run(self, cx: Context<Cart>) -> Result {
        if self.items.is_empty() {
            return Err(Permanent("the cart is empty".into()).into());
        }
        cx.sleep(Duration::from_secs(30)).await;
        cx.push(format!("Ordered: {}", self.items.join(", ")));
        Ok(())
    }
}

#[test]
fn the_cart_is_kept() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    alice.says("tea");
    assert_eq!(alice.state::<Cart>().items, ["tea"]);
}

#[test]
fn the_cart_of_version_1_is_still_there_after_the_deployment() {
    async fn old_on_text(cx: Context<Vec<String>>, message: TextMessage) -> Result {
        cx.set_state(vec![message.text]);
        Ok(())
    }
    let old = App::new("shop").with_state::<Vec<String>>().on_text(old_on_text);
    let bot = TestBot::start(old);
    let alice = bot.user("Alice");
    alice.says("tea");
    bot.restart_with(app());
    alice.says("milk");
    assert_eq!(alice.state::<Cart>().items, ["tea", "milk"]);
}

#[test]
fn an_order_outlives_a_crash() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    alice.says("tea");
    alice.says("order");
    bot.advance(Duration::from_secs(20));
    bot.crash();
    bot.advance(Duration::from_secs(5 + 30));
    assert_eq!(alice.hears(), ["Ordered: tea"]);
}

#[test]
fn an_empty_order_is_refused_and_the_chat_is_told() {
    let bot = TestBot::start(app());
    let alice = bot.user("Alice");
    alice.says("order");
    let dead = bot.dead_jobs();
    assert_eq!((dead[0].kind.as_str(), dead[0].error()), ("order", "the cart is empty"));
    assert!(dead[0].job::<Order>().unwrap().items.is_empty());
    assert_eq!(alice.hears(), ["Sorry: the cart is empty"]);
}
