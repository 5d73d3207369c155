//! What a store holds when all is over and forgotten, seen from outside.

use rusqlite::Connection;

/// Tables that need not become empty: what all jobs share, and the chats' state.
const CONSTANT_TABLES: [&str; 2] = ["store", "state"];
/// Keys that stay: the schema's version, the server's name, the counter of places, the chats' state, the markers (`wake:`) that
/// nobody has taken, the time that a process noted last, and what keeps processes of version 1 from writing.
const CONSTANT_KEYS: [&str; 8] =
    ["schema", "server", "place", "state", "alarm", "latest", "due", "claim"];

/// Returns the names of tables or keys of a bot that hold anything, but for those that may.
pub(crate) fn leftovers(url: &str, bot: &str) -> Vec<String> {
    match url.strip_prefix("sqlite:") {
        Some(path) => rows_left(&Connection::open(path).unwrap()),
        None => keys_left(&mut redis::Client::open(url).unwrap().get_connection().unwrap(), bot),
    }
}

fn rows_left(file: &Connection) -> Vec<String> {
    let mut tables = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let names: Vec<String> =
        tables.query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect();
    let rows = |name: &String| -> i64 {
        file.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0)).unwrap()
    };
    names
        .into_iter()
        .filter(|name| !CONSTANT_TABLES.contains(&name.as_str()) && rows(name) > 0)
        .collect()
}

fn keys_left(redis: &mut redis::Connection, bot: &str) -> Vec<String> {
    let prefix = format!("yamabiko:{{{bot}}}:");
    let keys: Vec<String> = redis::cmd("KEYS").arg(format!("{prefix}*")).query(redis).unwrap();
    let rests = keys.into_iter().map(|key| key[prefix.len()..].to_owned());
    let may_stay =
        |rest: &String| CONSTANT_KEYS.contains(&rest.as_str()) || rest.starts_with("wake:");
    rests.filter(|rest| !may_stay(rest)).collect()
}
