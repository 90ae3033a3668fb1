//! A grant ends with the key that it seals with.

use zt_core::envelope::{DataKey, KeyError, KeyWrapper, PublicHalf, WrappedKey};
use zt_core::port::BoxFuture;
use zt_core::secrets::SecretId;

use super::*;

/// Keys of which the public half wraps until then.
#[derive(Debug)]
struct Ending<K>(K, Timestamp);

impl<K: KeyWrapper> KeyWrapper for Ending<K> {
    fn wrap<'a>(
        &'a self,
        key: &'a SecretId,
        dek: &'a DataKey,
    ) -> BoxFuture<'a, Result<WrappedKey, KeyError>> {
        self.0.wrap(key, dek)
    }

    fn unwrap<'a>(
        &'a self,
        key: &'a SecretId,
        wrapped: &'a WrappedKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>> {
        self.0.unwrap(key, wrapped)
    }

    fn public_half<'a>(
        &'a self,
        key: &'a SecretId,
    ) -> BoxFuture<'a, Result<Option<PublicHalf>, KeyError>> {
        Box::pin(async {
            let half = self.0.public_half(key).await?;
            Ok(half.map(|half| half.until(Some(self.1))))
        })
    }
}

#[tokio::test]
async fn executors_wrap_with_no_key_beyond_its_end() {
    let world = world();
    rsa_key(&world).await;
    let start = SystemClock::new().now();
    let clock = Arc::new(ManualClock::new(start));
    let ends = start.after(Duration::from_secs(120));
    let keys = Ending(runtime::local_vault(&world.config()).unwrap(), ends);
    let zt = RuntimeBuilder::new(world.config())
        .with_clock(Arc::clone(&clock) as _)
        .with_keys(Arc::new(keys))
        .open()
        .await
        .unwrap();
    let job = job(&zt).await.claiming(201, 2);
    let sealing = job.grant(&for_executors()).await.unwrap();
    assert_eq!(sealing.expires_at(), ends);
    let infer = GrantRequest::for_executors().with("model.infer", "model:car_loan_scorer");
    assert!(job.grant(&infer).await.unwrap().expires_at() > ends);
    clock.advance(Duration::from_secs(120));
    assert_eq!(code(job.grant(&for_executors()).await), Code::GrantExpired);
}
