//! Files: tables, local vault, audit segments.
