//! Pipeline_Dependencies: both ends exist, and no stage waits for itself, through however many others.

use super::cycles::components;
use super::{At, Check};
use crate::metadata::{Problem, Tables};

pub(super) fn dependencies(tables: &Tables, check: &mut Check<'_>) {
    let rows = tables.pipeline_dependencies.iter();
    let components = components(rows.map(|row| ((row.job_id, row.stage), (row.job_id, row.after))));
    for row in &tables.pipeline_dependencies {
        let key = format!("{}/{}/{}", row.job_id, row.stage, row.after);
        let at = |column| At {
            table: "Pipeline_Dependencies",
            key: &key,
            column,
        };
        for (column, stage) in [("stage", row.stage), ("after", row.after)] {
            if !check.known.stages.contains(&(row.job_id, stage)) {
                let reason = format!("job {} has no such stage", row.job_id);
                check.problem(at(column), Problem::new(reason).text(&stage.to_string()));
            }
        }
        let component = |stage| components.get(&(row.job_id, stage));
        if component(row.stage) == component(row.after) {
            let reason = format!("stage {} would wait for itself", row.stage);
            let problem = Problem::new(reason).text(&row.after.to_string());
            check.problem(at("after"), problem);
        }
    }
}
