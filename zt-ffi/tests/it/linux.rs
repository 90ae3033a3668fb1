//! Where the C compiler, the loader and the names of libraries are known to the tests: Linux.

mod abi;
mod c;
mod cc;
mod cpp;
mod examples;
mod install;
mod sealing;
mod secrets;
mod surface;
mod world;
