//! Takes the commands out of a page, each block with the output that the page shows under it.

use anyhow::bail;

/// One block of commands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The line of the page on which the commands begin.
    pub(super) line: usize,
    /// What a reader types.
    pub(super) commands: String,
    /// What the page says comes out; `None` if it does not say.
    pub(super) expected: Option<String>,
}

/// The blocks marked `sh`, in order. A block of another kind that follows one, with nothing but blank lines between, is its output.
pub(super) fn steps(markdown: &str) -> anyhow::Result<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = markdown.lines().zip(1..);
    let mut takes_output = false;
    while let Some((line, number)) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            takes_output &= line.trim().is_empty();
            continue;
        };
        let mut text = String::new();
        loop {
            match lines.next() {
                Some(("```", _)) => break,
                Some((line, _)) => text.extend([line, "\n"]),
                None => bail!("the block on line {number} does not end"),
            }
        }
        if kind == "sh" {
            steps.push(Step { line: number + 1, commands: text, expected: None });
            takes_output = true;
        } else if let Some(step) = steps.last_mut().filter(|_| takes_output) {
            step.expected = Some(text);
            takes_output = false;
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_belongs_to_the_commands_right_above_it() {
        let page = "# One\n\n```sh\na\nb\n```\n\n```text\nout\n```\n\nText.\n\n```sh\nc\n```\n\nIt makes this:\n\n```rust\nfn f() {}\n```\n";
        let step = |line, commands: &str, expected: Option<&str>| Step {
            line,
            commands: commands.to_owned(),
            expected: expected.map(str::to_owned),
        };
        assert_eq!(steps(page).unwrap(), [step(4, "a\nb\n", Some("out\n")), step(15, "c\n", None)]);
    }

    #[test]
    fn a_block_without_end_is_refused() {
        assert_eq!(steps("```sh\na\n").unwrap_err().to_string(), "the block on line 1 does not end");
    }
}
