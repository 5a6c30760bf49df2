//! The workspace that a seed is put into, and the names it gets there.

use std::path::Path;

use text::FilePath;

const WORDS: [&str; 24] = [
    "order", "price", "stock", "route", "token", "batch", "frame", "queue", "ledger", "parcel",
    "signal", "widget", "branch", "filter", "packet", "region", "sample", "thread", "vector",
    "window", "record", "report", "client", "folder",
];

/// Names that depend on nothing but the rule and the number of the variant.
pub(crate) struct Names(u64);

impl Names {
    pub(crate) fn new(rule: &str, variant: u64) -> Names {
        let seed = rule.bytes().fold(variant + 1, |seed, byte| {
            seed.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
        });
        Names(seed | 1)
    }

    fn pick(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % count
    }

    pub(crate) fn word(&mut self) -> &'static str {
        WORDS[self.pick(WORDS.len())]
    }

    /// A text with `{a}`, `{b}` and `{c}` as names; the same in all texts of one variant.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut own = Names(self.0);
        let mut text = text.to_owned();
        for slot in ["{a}", "{b}", "{c}"] {
            let name = format!("{}_{}{}", own.word(), own.word(), &slot[1..2]);
            text = text.replace(slot, &name);
        }
        text
    }
}

/// Files around the seed.
pub(crate) fn host(names: &mut Names, language: &str) -> Vec<(String, String)> {
    if let Some(folder) = std::env::var_os("FARTHING_HOST") {
        let folder = FilePath::new(Path::new(&folder)).unwrap();
        let mut files = Vec::new();
        read(&folder, &folder, &mut files);
        return files;
    }
    let ending = match language {
        "python" => "py",
        "typescript" => "ts",
        "rust" => "rs",
        _ => "go",
    };
    let mut files = Vec::new();
    for number in 0..6 {
        let (one, two) = (names.word(), names.word());
        let text = match language {
            "python" => format!(
                "import os\n\ndef {one}_{number}(items):\n    return [{two} for {two} in items]\n"
            ),
            "typescript" => format!(
                "export function {one}{number}(items: number[]) {{\n  return items.map(({two}) => {two} + 1);\n}}\n"
            ),
            "rust" => format!(
                "pub fn {one}_{number}(items: &[u32]) -> u32 {{\n    let {two} = 1;\n    items.iter().sum::<u32>() + {two}\n}}\n"
            ),
            _ => format!(
                "package host\n\nfunc {one}{number}(items []int) int {{\n\t{two} := 1\n\treturn len(items) + {two}\n}}\n"
            ),
        };
        files.push((format!("host/{two}_{number}.{ending}"), text));
    }
    files
}

fn read(root: &FilePath, folder: &FilePath, files: &mut Vec<(String, String)>) {
    let Ok(entries) = std::fs::read_dir(folder.as_path()) else {
        return;
    };
    for entry in entries.flatten() {
        let Ok(file) = FilePath::new(entry.path()) else {
            continue;
        };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if !file.file_name().starts_with('.') && file.file_name() != "node_modules" {
                read(root, &file, files);
            }
        } else if grammars::for_path(file.file_name()).is_some()
            && let Ok(text) = std::fs::read_to_string(file.as_path())
        {
            files.push((file.relative_to(root).unwrap().to_owned(), text));
        }
    }
}
