//! Open documents, disk, ignore rules, watch events; snapshots of them all.
