//! A secret that is fresh in the cache: policy and audit each time, beside a cache that asks nobody.

use moka::future::Cache;

use crate::Outcome;
use crate::harness::{Case, Effort, Group, compare};
use crate::world::World;

pub fn groups(world: &World, effort: Effort) -> Outcome<Vec<Group>> {
    let zt = world.open()?;
    let job = world.sign_in(&zt, "sp:sp-score-201")?.claiming(201, 2);
    let name = "bureau-api-key";
    let _first = world.executor.block_on(job.secret(name))?;

    let cache: Cache<String, Vec<u8>> = Cache::new(1000);
    world
        .executor
        .block_on(cache.insert(name.to_owned(), vec![b'x'; 24]));
    let cases = vec![
        Case::new("moka::future::get: no policy, no audit", || {
            world
                .executor
                .block_on(cache.get(name))
                .map(|value| value.len())
        }),
        Case::new("`session.secret`: policy and audit each time", || {
            world
                .executor
                .block_on(job.secret(name))
                .map(|secret| secret.len())
        }),
    ];
    Ok(vec![compare("Cached secret", effort, cases)])
}
