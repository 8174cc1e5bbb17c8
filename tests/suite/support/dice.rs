//! Seeded chance: a test that rolls says its seed, and rolls the same again.

/// Numbers that look random and are the same each time (splitmix64).
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.roll() % (high - low + 1) as u64) as i64
    }

    pub fn one_in(&mut self, n: i64) -> bool {
        self.between(1, n) == 1
    }

    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.between(0, list.len() as i64 - 1) as usize]
    }

    pub fn some<T: Clone>(&mut self, list: &[T]) -> Vec<T> {
        let mut chosen: Vec<T> = list.iter().filter(|_| self.one_in(2)).cloned().collect();
        if chosen.is_empty() {
            chosen.push(list[self.between(0, list.len() as i64 - 1) as usize].clone());
        }
        chosen
    }
}
