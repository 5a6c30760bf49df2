//! Numbers as people read them.

/// `5120` as `5.0 KiB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `1300` as `1.3 s`.
pub fn millis(millis: u64) -> String {
    match millis {
        0..=999 => format!("{millis} ms"),
        _ => format!("{:.1} s", millis as f64 / 1000.0),
    }
}
