//! Keys that a step has set aside because they had another type than it needs.

use redis::Value;

/// The status that an answer begins with where it names damage; see `common.lua`.
const STATUS: &str = "DAMAGED";

/// Takes the names of what was set aside out of an answer, logs and counts them, and returns what the step itself answered.
pub(super) fn reported(answer: Value) -> Value {
    let Value::Array(mut parts) = answer else { return answer };
    if !matches!(parts.first(), Some(Value::SimpleString(status)) if status == STATUS) {
        return Value::Array(parts);
    }
    // A step that answers nothing leaves two parts.
    let own = if parts.len() > 2 { parts.remove(2) } else { Value::Nil };
    let names: Vec<String> = redis::from_redis_value(parts.swap_remove(1)).unwrap_or_default();
    for key in &names {
        metrics::counter!("yamabiko_damaged_records_total").increment(1);
        tracing::error!(
            key,
            "a key of the store had another type than the bot's, and has this name now; all others go on, and `doctor` says what to do"
        );
    }
    own
}
