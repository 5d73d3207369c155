//! All that is known of a chat in which something is wrong, for whoever looks for the reason.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use crate::{
    aftermath::Aftermath,
    check::{Chat, Verdict},
    conversation::Conversation,
    tally::Counts,
    webhooks::Traffic,
};

/// Of how many chats at most.
const CASES: usize = 30;

/// Writes when what was broken.
pub(crate) fn write_timeline(folder: &Path, counts: &Counts) -> std::io::Result<()> {
    let lines = counts.timeline.iter().map(|(at, what)| format!("{at} {what}\n"));
    fs::write(folder.join("broken.txt"), lines.collect::<String>())
}

/// Writes all findings, and a file for each chat in which something was found.
pub(crate) async fn write<C: Conversation>(
    folder: &Path,
    verdict: &Verdict,
    chats: &[Chat<C>],
    traffic: &Traffic,
    aftermath: &Aftermath,
) -> anyhow::Result<()> {
    let findings = verdict.findings.iter();
    let lines = findings.clone().map(|one| format!("{} {:?} {}\n", one.user, one.wrong, one.text));
    fs::write(folder.join("findings.txt"), lines.collect::<String>())?;
    let users: BTreeSet<_> = findings.map(|finding| finding.user.as_str()).collect();
    for chat in chats.iter().filter(|chat| users.contains(chat.user.as_str())).take(CASES) {
        let mut text = String::new();
        for asked in &chat.asked {
            writeln!(text, "{asked:?}")?;
        }
        writeln!(
            text,
            "\nblocked: {:?}\nuncertain: {:?}\ntoo late: {:?}\nrefused: {:?}\nwrong clock: {:?}\nlost: {:?}\nruns: {}\n",
            chat.unfollows,
            chat.uncertain,
            chat.too_late,
            chat.refused,
            chat.clock_steps,
            chat.losses,
            chat.runs
        )?;
        for heard in &chat.heard {
            writeln!(text, "{} {:?}", heard.at, heard.said)?;
        }
        writeln!(text)?;
        for job in aftermath.describe_chat(&chat.user).await? {
            writeln!(text, "{job}")?;
        }
        let names: Vec<_> =
            chat.asked.iter().map(|asked| format!("\"#{} ", asked.request)).collect();
        writeln!(text)?;
        let is_of_chat = |call: &&String| {
            call.contains(&chat.user) || names.iter().any(|name| call.contains(name))
        };
        for call in traffic.calls.iter().filter(is_of_chat) {
            writeln!(text, "{call}")?;
        }
        fs::write(folder.join(format!("{}.txt", chat.user)), text)?;
    }
    Ok(())
}
