//! A user who cancels, at every moment that there is in a run.

use std::time::Duration;

use crate::spec::File;
use crate::{Actual, perform};

/// A run with everything in it that a run may do.
const RUN: &str = r#"## Everything
```rust src/lib.rs
use std::fmt;

fn one() -> u32 {
    return 1;
}

fn two() -> u32 {
    return 2;
}
```
```action
simplify src/lib.rs one
```
```given
the user grants: yes
the user allows: yes
new files: yes
patches: yes
GIVEN
```
```turn
say I look around.
read body two
find callers one
scope two
```
```turn
edit one
-     return 1;
+     1
replace two
| fn two() -> u32 {
|     2
| }
add after one
| fn three() -> u32 {
|     3
| }
imports
- use std::fmt;
```
```turn
edit one
-     nothing of the kind
+     1
raw replace_symbol {"symbol": "one
patch
| *** Begin Patch
| *** Update File: src/lib.rs
| @@ fn two() -> u32 {
| -    2
| +    22
| *** End Patch
raw create_file {"new_file":"src/four.rs","text":"fn four() {}\n","reason":"r"}
```
```turn
say All is done.
```
"#;

/// How much happens in a run from the end of its last answer on.
const LAST_WORDS: usize = 5;

fn cancelled_at(given: &str) -> Actual {
    let file = File::parse(&RUN.replace("GIVEN", given));
    perform(file.specs().first().unwrap())
}

#[test]
fn whenever_the_user_cancels_nothing_is_changed_or_sent_after_it() {
    let whole = cancelled_at("turns: 8");
    assert!(
        whole.end.starts_with("completed: All is done.") && whole.end.contains("hunks: 6"),
        "{}\n{:?}",
        whole.end,
        whole.replies
    );
    assert!(whole.moments > 50, "{}", whole.moments);
    let mut texts = Vec::new();
    for moment in 0..whole.moments {
        let actual = cancelled_at(&format!("the user cancels at moment: {moment}"));
        let (cancelled, took) = actual.cancelled.unwrap();
        // An answer that has come to its end stands: what is left is to book it and to write it down.
        let over = moment + LAST_WORDS >= whole.moments;
        assert!(
            actual.end.starts_with("cancelled") || (over && actual.end == whole.end),
            "at {moment} of {}: {}",
            whole.moments,
            actual.end
        );
        assert_eq!(actual.files, cancelled.files, "at {moment}");
        assert!(took < Duration::from_millis(200), "at {moment}: {took:?}");
        texts.push(actual.files);
    }
    // Each piece is there as a whole or not at all, in the order in which they came.
    texts.dedup();
    assert_eq!(texts.len(), 7, "{texts:#?}");
}
