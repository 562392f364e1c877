//! What becomes of a message in its handler, and at its publisher: drawn from the seed and the message, so that it is the
//! same in every process, and in the tomodachi service beside (`tomodachi.py` draws alike).

/// What happens in one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Completes,
    /// 5 %: an error.
    Fails,
    /// 1 %
    Panics,
    /// 1 %: it takes a quarter of a second.
    IsSlow,
    /// 0.1 %: it never ends by itself.
    Hangs,
    /// 0.2 %: it is given up at once.
    Refuses,
}

impl Fate {
    /// Of this attempt at this message.
    pub fn of(seed: u64, id: &str, attempt: u32) -> Self {
        match draw(&format!("{seed}/{id}/{attempt}")) {
            0..500 => Self::Fails,
            500..600 => Self::Panics,
            600..700 => Self::IsSlow,
            700..710 => Self::Hangs,
            710..730 => Self::Refuses,
            _ => Self::Completes,
        }
    }
}

/// 3 %: is it published twice?
pub fn is_doubled(seed: u64, id: &str) -> bool {
    draw(&format!("{seed}/{id}/doubled")) < 300
}

/// 1 %: does rubbish of somebody else come behind it?
pub fn is_followed_by_poison(seed: u64, id: &str) -> bool {
    draw(&format!("{seed}/{id}/poison")) < 100
}

/// One of ten thousand: FNV-1a, and the last step of MurmurHash3 to spread it.
fn draw(text: &str) -> u64 {
    let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
    for by in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(by);
    }
    (hash ^ (hash >> 33)) % 10_000
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn each_fate_has_its_share_and_a_seed_its_own_fates() {
        let fates = |seed| (0..100_000).map(move |number| Fate::of(seed, &format!("m-{number}"), 1));
        let mut shares = BTreeMap::<String, i32>::new();
        fates(7).for_each(|fate| *shares.entry(format!("{fate:?}")).or_default() += 1);
        for (fate, share) in [("Fails", 5_000), ("Panics", 1_000), ("IsSlow", 1_000), ("Hangs", 100), ("Refuses", 200)]
        {
            assert!((shares[fate] - share).abs() * 3 < share, "{shares:?}");
        }
        assert!(fates(7).eq(fates(7)) && !fates(7).eq(fates(8)));
    }

    /// `tomodachi.py` holds itself to the same numbers.
    #[test]
    fn the_numbers_are_those_of_the_other_program() {
        assert_eq!(["7/m-1/1", "7/m-2/1", "8/m-1/doubled"].map(draw), DRAWN);
    }

    const DRAWN: [u64; 3] = [1954, 7057, 8631];
}
