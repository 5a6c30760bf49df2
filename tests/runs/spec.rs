//! Reads specifications out of Markdown, and writes blocks back.

/// A Markdown file, as its lines, with the fenced blocks found in it.
pub(crate) struct File {
    lines: Vec<String>,
    blocks: Vec<Block>,
}

struct Block {
    title: String,
    info: String,
    /// Lines between the fences.
    body: std::ops::Range<usize>,
}

/// One specification: a heading and the blocks under it.
#[derive(Default)]
pub(crate) struct Spec {
    pub(crate) title: String,
    /// Path and text of each file there is.
    pub(crate) files: Vec<(String, String)>,
    pub(crate) action: String,
    given: Vec<(String, String)>,
    turns: Vec<String>,
    pub(crate) sent: Option<(usize, String)>,
    pub(crate) replies: Vec<(usize, String)>,
    pub(crate) results: Vec<(usize, String, String)>,
    pub(crate) end: Option<(usize, String)>,
}

impl File {
    pub(crate) fn parse(text: &str) -> File {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let mut blocks: Vec<Block> = Vec::new();
        let mut title = String::new();
        let mut open: Option<(String, String, usize)> = None;
        for (at, line) in lines.iter().enumerate() {
            let ticks = line.chars().take_while(|c| *c == '`').count();
            match &open {
                None if ticks >= 3 => {
                    let info = line.get(ticks..).unwrap_or_default().trim().to_owned();
                    open = Some(("`".repeat(ticks), info, at + 1));
                }
                Some((fence, info, start)) if line.trim_end() == fence => {
                    blocks.push(Block {
                        title: title.clone(),
                        info: info.clone(),
                        body: *start..at,
                    });
                    open = None;
                }
                None => {
                    if let Some(heading) = line.strip_prefix("## ") {
                        heading.trim().clone_into(&mut title);
                    }
                }
                Some(_) => {}
            }
        }
        assert!(open.is_none(), "a block is not closed");
        File { lines, blocks }
    }

    /// The specifications, in order; a block is named by its position in the file.
    pub(crate) fn specs(&self) -> Vec<Spec> {
        let mut specs: Vec<Spec> = Vec::new();
        for (index, block) in self.blocks.iter().enumerate() {
            if specs.last().is_none_or(|spec| spec.title != block.title) {
                specs.push(Spec {
                    title: block.title.clone(),
                    ..Spec::default()
                });
            }
            let body = self.body(index);
            let Some(spec) = specs.last_mut() else {
                continue;
            };
            match block.info.split_once(' ').unwrap_or((&block.info, "")) {
                ("action", _) => body.trim().clone_into(&mut spec.action),
                ("given", _) => spec.given.extend(body.lines().filter_map(pair)),
                ("turn", _) => spec.turns.push(body),
                ("sent", _) => spec.sent = Some((index, body)),
                ("reply", _) => spec.replies.push((index, body)),
                ("result", path) => spec.results.push((index, path.to_owned(), body)),
                ("end", _) => spec.end = Some((index, body)),
                (_, path) if path.contains('.') => spec.files.push((path.to_owned(), body)),
                (info, _) => panic!("{}: there is no block `{info}`", block.title),
            }
        }
        specs
    }

    pub(crate) fn body(&self, index: usize) -> String {
        let lines = &self.lines[self.blocks[index].body.clone()];
        joined(lines)
    }

    /// Replaces the lines of a block.
    pub(crate) fn set(&mut self, index: usize, text: &str) {
        let body = self.blocks[index].body.clone();
        let new: Vec<String> = text
            .trim_end()
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        let end = body.start + new.len();
        let shift = end as isize - body.end as isize;
        self.lines.splice(body, new);
        self.blocks[index].body.end = end;
        for block in &mut self.blocks[index + 1..] {
            let moved = |line: usize| line.checked_add_signed(shift).unwrap_or(line);
            block.body = moved(block.body.start)..moved(block.body.end);
        }
    }

    pub(crate) fn text(&self) -> String {
        joined(&self.lines)
    }
}

impl Spec {
    pub(crate) fn given(&self, key: &str) -> Option<&str> {
        self.given
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn turns(&self) -> Vec<String> {
        self.turns.clone()
    }
}

fn joined(lines: &[String]) -> String {
    lines
        .iter()
        .flat_map(|line| [line.as_str(), "\n"])
        .collect()
}

fn pair(line: &str) -> Option<(String, String)> {
    let (key, value) = line.split_once(':')?;
    Some((key.trim().to_owned(), value.trim().to_owned()))
}
