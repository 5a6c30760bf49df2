//! What was asked for lately, as much of it as fits.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

/// Values by key, of which those leave first that came first, but for those that were asked for since.
pub struct Recent<K, V> {
    known: Mutex<Known<K, V>>,
    most: usize,
}

/// What takes up room.
pub trait Weigh {
    /// How much, in the unit of whoever keeps it. The same each time.
    fn weight(&self) -> usize;
}

struct Known<K, V> {
    values: FxHashMap<K, Kept<V>>,
    /// All keys, in the order in which they may have to go.
    order: VecDeque<K>,
    weight: usize,
}

struct Kept<V> {
    value: V,
    weight: usize,
    asked: bool,
}

impl<K: Clone + Eq + Hash, V: Clone + Weigh> Recent<K, V> {
    /// Room for values that weigh `most` together.
    pub fn new(most: usize) -> Recent<K, V> {
        let known = Known {
            values: FxHashMap::default(),
            order: VecDeque::new(),
            weight: 0,
        };
        Recent {
            known: Mutex::new(known),
            most,
        }
    }

    /// The value of a key, if it is still there. O(1).
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let mut known = self.lock();
        let kept = known.values.get_mut(key)?;
        kept.asked = true;
        Some(kept.value.clone())
    }

    /// Keeps a value instead of the one that the key had, unless it does not fit alone. O(1) on average.
    pub fn put(&self, key: K, value: V) {
        let weight = value.weight();
        if weight > self.most {
            return;
        }
        let kept = Kept {
            value,
            weight,
            asked: false,
        };
        let mut known = self.lock();
        let known = &mut *known;
        match known.values.entry(key) {
            Entry::Occupied(mut old) => known.weight -= old.insert(kept).weight,
            Entry::Vacant(new) => {
                known.order.push_back(new.key().clone());
                new.insert(kept);
            }
        }
        known.weight += weight;
        while known.weight > self.most {
            let Some(first) = known.order.pop_front() else {
                return;
            };
            match known.values.entry(first) {
                Entry::Occupied(mut entry) if entry.get().asked => {
                    entry.get_mut().asked = false;
                    known.order.push_back(entry.key().clone());
                }
                Entry::Occupied(entry) => known.weight -= entry.remove().weight,
                Entry::Vacant(_) => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known<K, V>> {
        // Nothing in here panics half-way.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, PartialEq, Debug)]
    struct Stone(usize);

    impl Weigh for Stone {
        fn weight(&self) -> usize {
            self.0
        }
    }

    fn weighed(recent: &Recent<usize, Stone>) -> usize {
        let known = recent.lock();
        let weight = known.values.values().map(|kept| kept.value.0).sum();
        assert_eq!(
            (known.weight, known.order.len()),
            (weight, known.values.len())
        );
        weight
    }

    #[test]
    fn all_of_it_never_weighs_more_than_there_is_room_for() {
        let recent = Recent::new(100);
        for number in 0..1_000 {
            recent.put(number * 7 % 40, Stone(number % 30 + 1));
            recent.get(&(number * 3 % 40));
            assert!(weighed(&recent) <= 100);
        }
        assert!(weighed(&recent) > 70);
    }

    #[test]
    fn one_may_take_up_all_of_the_room_and_no_more() {
        let recent = Recent::new(100);
        recent.put(1, Stone(100));
        assert_eq!(recent.get(&1), Some(Stone(100)));
        recent.put(2, Stone(101));
        assert_eq!((recent.get(&1), recent.get(&2)), (Some(Stone(100)), None));
    }

    #[test]
    fn a_key_has_its_last_value() {
        let recent = Recent::new(100);
        recent.put(1, Stone(40));
        recent.put(1, Stone(50));
        assert_eq!(recent.get(&1), Some(Stone(50)));
        assert_eq!(weighed(&recent), 50);
    }

    #[test]
    fn what_is_asked_for_stays() {
        let recent = Recent::new(3);
        for number in 0..100 {
            recent.put(number, Stone(1));
            assert!(recent.get(&0).is_some());
        }
    }
}
