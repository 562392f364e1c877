//! `--reveal`: what is personal in messages is shown, too.

use clap::Args;

#[derive(Args)]
pub(crate) struct Reveal {
    /// Show what the contract marks as personal, too. Without, `<personal>` stands in its place.
    #[arg(long)]
    reveal: bool,
}

impl Reveal {
    /// The task, in the service's words.
    pub(crate) fn task(&self, task: &str) -> String {
        if self.reveal { format!("reveal {task}") } else { task.to_owned() }
    }
}
