//! The compression function of SHA-256 (FIPS 180-4 §6.2.2) for four messages at once, where the processor has instructions
//! for it.
//!
//! In: four states and blocks for each. Out: how many blocks of each were hashed, which is none where there are no such
//! instructions: the caller has a general library for the rest. Each of the instructions waits for the one before, of one
//! message; four messages keep the processor busy, and each takes half of the time. No secret goes in here.

/// Hashes blocks into four states for as long as there is one for each; answers how many that were.
///
/// ```
/// let mut states = [[0; 8]; 4];
/// let block = [[7; 64]];
/// let done = zt_memory::sha256::compress_four(&mut states, [&block, &block, &block, &[]]);
/// assert_eq!((done, states), (0, [[0; 8]; 4]));
/// ```
pub fn compress_four(states: &mut [[u32; 8]; 4], blocks: [&[[u8; 64]]; 4]) -> usize {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    if std::arch::is_x86_feature_detected!("sha")
        && std::arch::is_x86_feature_detected!("ssse3")
        && std::arch::is_x86_feature_detected!("sse4.1")
    {
        // SAFETY: the processor has what the function is compiled for, as was just asked.
        return unsafe { x86::compress_four(states, blocks) };
    }
    let _unused = (states, blocks);
    0
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod x86 {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x,
        _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8,
        _mm_shuffle_epi32,
    };

    /// FIPS 180-4 §4.2.2.
    const K: [[u32; 4]; 16] = [
        [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5],
        [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
        [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3],
        [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
        [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc],
        [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
        [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7],
        [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
        [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13],
        [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
        [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3],
        [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
        [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5],
        [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
        [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208],
        [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
    ];

    /// The state of one message as the instructions want it.
    #[derive(Clone, Copy)]
    struct Lane {
        abef: __m128i,
        cdgh: __m128i,
    }

    #[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
    pub(super) fn compress_four(states: &mut [[u32; 8]; 4], blocks: [&[[u8; 64]]; 4]) -> usize {
        let [one, two, three, four] = blocks;
        let [a, b, c, d] = &*states;
        let mut lanes = [load(a), load(b), load(c), load(d)];
        let mut done = 0;
        for ((one, two), (three, four)) in one.iter().zip(two).zip(three.iter().zip(four)) {
            block(&mut lanes, [one, two, three, four]);
            done += 1;
        }
        let [a, b, c, d] = &lanes;
        *states = [store(a), store(b), store(c), store(d)];
        done
    }

    /// Written out, so that the lanes stay in registers whatever the compiler thinks of loops.
    #[inline]
    #[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
    fn block(lanes: &mut [Lane; 4], blocks: [&[u8; 64]; 4]) {
        let [one, two, three, four] = blocks;
        let mut words = [words(one), words(two), words(three), words(four)];
        let mut now = *lanes;
        macro_rules! each {
            ($step:ident!($($place:literal),+)) => {
                $step!(0, $($place),+);
                $step!(1, $($place),+);
                $step!(2, $($place),+);
                $step!(3, $($place),+);
            };
        }
        // Four rounds.
        macro_rules! rounds {
            ($lane:literal, $k:literal, $a:literal) => {
                let sum = _mm_add_epi32(words[$lane][$a], quad(&K[$k]));
                let Lane { abef, cdgh } = now[$lane];
                let cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
                let abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32::<0x0e>(sum));
                now[$lane] = Lane { abef, cdgh };
            };
        }
        // The next four words of the schedule.
        macro_rules! schedule {
            ($lane:literal, $a:literal, $b:literal, $c:literal, $d:literal) => {
                let sum = _mm_sha256msg1_epu32(words[$lane][$a], words[$lane][$b]);
                let shifted = _mm_alignr_epi8::<4>(words[$lane][$d], words[$lane][$c]);
                let sum = _mm_add_epi32(sum, shifted);
                words[$lane][$a] = _mm_sha256msg2_epu32(sum, words[$lane][$d]);
            };
        }
        each!(rounds!(0, 0));
        each!(rounds!(1, 1));
        each!(rounds!(2, 2));
        each!(rounds!(3, 3));
        each!(schedule!(0, 1, 2, 3));
        each!(rounds!(4, 0));
        each!(schedule!(1, 2, 3, 0));
        each!(rounds!(5, 1));
        each!(schedule!(2, 3, 0, 1));
        each!(rounds!(6, 2));
        each!(schedule!(3, 0, 1, 2));
        each!(rounds!(7, 3));
        each!(schedule!(0, 1, 2, 3));
        each!(rounds!(8, 0));
        each!(schedule!(1, 2, 3, 0));
        each!(rounds!(9, 1));
        each!(schedule!(2, 3, 0, 1));
        each!(rounds!(10, 2));
        each!(schedule!(3, 0, 1, 2));
        each!(rounds!(11, 3));
        each!(schedule!(0, 1, 2, 3));
        each!(rounds!(12, 0));
        each!(schedule!(1, 2, 3, 0));
        each!(rounds!(13, 1));
        each!(schedule!(2, 3, 0, 1));
        each!(rounds!(14, 2));
        each!(schedule!(3, 0, 1, 2));
        each!(rounds!(15, 3));
        for (lane, now) in lanes.iter_mut().zip(now) {
            lane.abef = _mm_add_epi32(lane.abef, now.abef);
            lane.cdgh = _mm_add_epi32(lane.cdgh, now.cdgh);
        }
    }

    #[inline]
    #[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
    fn words(block: &[u8; 64]) -> [__m128i; 4] {
        let big_endian = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
        let mut words = [big_endian; 4];
        for (word, bytes) in words.iter_mut().zip(block.as_chunks::<16>().0) {
            let [low, high] = halves(bytes);
            *word = _mm_shuffle_epi8(_mm_set_epi64x(high, low), big_endian);
        }
        words
    }

    fn halves(bytes: &[u8; 16]) -> [i64; 2] {
        let mut halves = [0; 2];
        for (half, bytes) in halves.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *half = i64::from_le_bytes(*bytes);
        }
        halves
    }

    #[inline]
    #[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
    fn quad([a, b, c, d]: &[u32; 4]) -> __m128i {
        let [a, b, c, d] = [*a, *b, *c, *d].map(u32::cast_signed);
        _mm_set_epi32(d, c, b, a)
    }

    #[inline]
    #[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
    fn load([a, b, c, d, e, f, g, h]: &[u32; 8]) -> Lane {
        Lane {
            abef: quad(&[*f, *e, *b, *a]),
            cdgh: quad(&[*h, *g, *d, *c]),
        }
    }

    #[inline]
    #[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
    fn store(lane: &Lane) -> [u32; 8] {
        let Lane { abef, cdgh } = *lane;
        [
            _mm_extract_epi32::<3>(abef),
            _mm_extract_epi32::<2>(abef),
            _mm_extract_epi32::<3>(cdgh),
            _mm_extract_epi32::<2>(cdgh),
            _mm_extract_epi32::<1>(abef),
            _mm_extract_epi32::<0>(abef),
            _mm_extract_epi32::<1>(cdgh),
            _mm_extract_epi32::<0>(cdgh),
        ]
        .map(i32::cast_unsigned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4 §5.3.3.
    const START: [u32; 8] = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];

    fn padded(text: &[u8]) -> [u8; 64] {
        let mut block = [0; 64];
        block[..text.len()].copy_from_slice(text);
        block[text.len()] = 0x80;
        block[63] = u8::try_from(text.len() * 8).unwrap();
        block
    }

    fn hex(state: &[u32; 8]) -> String {
        state.iter().map(|word| format!("{word:08x}")).collect()
    }

    /// Against the examples of FIPS 180 and the hash of nothing; the audit log's tests compare many more with another library.
    #[test]
    fn four_messages_have_the_hashes_of_the_standard() {
        let [abc, none] = [padded(b"abc"), padded(b"")];
        let mut states = [START; 4];
        let done = compress_four(&mut states, [&[abc], &[none], &[none, abc], &[abc]]);
        if done == 0 {
            assert_eq!(states, [START; 4], "no such instructions here");
            return;
        }
        let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let of_none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(done, 1);
        assert_eq!(
            states.map(|state| hex(&state)),
            [of_abc, of_none, of_none, of_abc]
        );
    }
}
