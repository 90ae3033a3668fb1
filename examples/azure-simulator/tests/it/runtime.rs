//! A whole runtime of zt from a folder, through its real guarded client over TLS, against the simulator.

mod office;
mod sign_in;

