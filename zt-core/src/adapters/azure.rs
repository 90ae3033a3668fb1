//! Azure: adapters of the ports to Microsoft's services.

mod graph;

pub use graph::GraphGroups;
