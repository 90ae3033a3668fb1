//! Who calls: bytes of a token become a verified caller.
