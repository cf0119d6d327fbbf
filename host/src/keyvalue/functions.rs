//! Adds functions to a linker, in one of two ways: such as return once they are done, and such as may be waited for.
//!
//! Invariant: what a backend is asked never borrows from the instance, so it can be asked on another thread.

use std::sync::Arc;

use bytes::Bytes;
use tailstone_interface::{Refusal, Result};
use wasmtime::StoreContextMut;
use wasmtime::component::{
    ComponentNamedList, Lift, Linker, Lower, Resource, ResourceType, WasmList, WasmStr,
};

use super::View;
use super::context::KeyValue;
use super::handles::{OpenBucket, bucket_of};
use super::meter::Granted;

/// What every function answers: a result of the interface.
pub type Answer<R, E> = (std::result::Result<R, E>,);

/// An open bucket as guests hold it.
pub type Handle = Resource<OpenBucket>;

/// What is asked of a backend, and whether it waits for something else than this machine.
pub struct Question<A> {
    pub asked: A,
    pub is_remote: bool,
}

/// Parameters that begin with the bucket that is meant.
pub trait OfBucket {
    fn bucket(&self) -> &Handle;
}

macro_rules! of_bucket {
    ($($more:ident)*) => {
        impl<$($more),*> OfBucket for (Handle, $($more,)*) {
            fn bucket(&self) -> &Handle {
                &self.0
            }
        }
    };
}

of_bucket!();
of_bucket!(A);
of_bucket!(A B);
of_bucket!(A B C);

/// A linker with a way to add functions to it.
pub trait Functions {
    /// Adds a kind of handles.
    fn resource<R: Send + 'static>(&mut self, interface: &str, name: &str) -> wasmtime::Result<()>;

    /// Adds a function in three steps, of which only `ask` may wait.
    fn call<P, A, B, R>(
        &mut self,
        interface: &str,
        name: &str,
        before: impl Fn(&mut KeyValue<'_>, P) -> wasmtime::Result<Question<A>>
        + Copy
        + Send
        + Sync
        + 'static,
        ask: impl Fn(A) -> B + Copy + Send + Sync + 'static,
        after: impl Fn(&mut KeyValue<'_>, B) -> wasmtime::Result<R> + Copy + Send + Sync + 'static,
    ) -> wasmtime::Result<()>
    where
        P: ComponentNamedList + Lift + 'static,
        A: Send + 'static,
        B: Send + 'static,
        R: ComponentNamedList + Lower + 'static;

    /// Adds a function that asks a bucket something and answers what it said.
    fn method<P, R, E>(
        &mut self,
        interface: &str,
        name: &str,
        ask: impl Fn(&Granted, P) -> Result<R> + Copy + Send + Sync + 'static,
    ) -> wasmtime::Result<()>
    where
        P: OfBucket + ComponentNamedList + Lift + Send + 'static,
        R: Lower + Send + 'static,
        E: From<Refusal> + Lower + Send + 'static,
    {
        self.call(
            interface,
            name,
            |view, params: P| {
                let bucket = bucket_of(view, params.bucket())?;
                Ok(Question {
                    is_remote: bucket.is_remote(),
                    asked: (bucket, params),
                })
            },
            move |(bucket, params): (Arc<Granted>, P)| ask(&bucket, params),
            |_, said| -> wasmtime::Result<Answer<R, E>> { Ok((said.map_err(Into::into),)) },
        )
    }

    /// `get` with a key that is text.
    fn get<E>(&mut self, interface: &str, name: &str) -> wasmtime::Result<()>
    where
        E: From<Refusal> + Lower + Send + 'static,
    {
        self.method::<_, _, E>(interface, name, |bucket, (_, key): (Handle, String)| {
            bucket.get(key.as_bytes())
        })
    }

    /// `set` with a key that is text.
    fn set<E>(&mut self, interface: &str, name: &str) -> wasmtime::Result<()>
    where
        E: From<Refusal> + Lower + Send + 'static,
    {
        self.method::<_, _, E>(
            interface,
            name,
            |bucket, (_, key, value): (Handle, String, Vec<u8>)| bucket.put(key.as_bytes(), &value),
        )
    }

    /// `get` with a key of bytes.
    fn get_bytes<E>(&mut self, interface: &str, name: &str) -> wasmtime::Result<()>
    where
        E: From<Refusal> + Lower + Send + 'static,
    {
        self.method::<_, _, E>(interface, name, |bucket, (_, key): (Handle, Vec<u8>)| {
            bucket.get(&key)
        })
    }

    /// `put` with a key of bytes.
    fn put_bytes<E>(&mut self, interface: &str, name: &str) -> wasmtime::Result<()>
    where
        E: From<Refusal> + Lower + Send + 'static,
    {
        self.method::<_, _, E>(
            interface,
            name,
            |bucket, (_, key, value): (Handle, Vec<u8>, Vec<u8>)| bucket.put(&key, &value),
        )
    }
}

/// Functions that return once they are done.
pub struct Inline<'l, T: 'static, V> {
    pub linker: &'l mut Linker<T>,
    pub view: V,
}

impl<T: 'static, V: View<T>> Functions for Inline<'_, T, V> {
    fn resource<R: Send + 'static>(&mut self, interface: &str, name: &str) -> wasmtime::Result<()> {
        resource::<T, R>(self.linker, self.view, interface, name)
    }

    fn call<P, A, B, R>(
        &mut self,
        interface: &str,
        name: &str,
        before: impl Fn(&mut KeyValue<'_>, P) -> wasmtime::Result<Question<A>>
        + Copy
        + Send
        + Sync
        + 'static,
        ask: impl Fn(A) -> B + Copy + Send + Sync + 'static,
        after: impl Fn(&mut KeyValue<'_>, B) -> wasmtime::Result<R> + Copy + Send + Sync + 'static,
    ) -> wasmtime::Result<()>
    where
        P: ComponentNamedList + Lift + 'static,
        A: Send + 'static,
        B: Send + 'static,
        R: ComponentNamedList + Lower + 'static,
    {
        let view = self.view;
        self.linker.instance(interface)?.func_wrap(
            name,
            move |mut store: StoreContextMut<'_, T>, params: P| {
                let mut view = view(store.data_mut());
                let said = ask(before(&mut view, params)?.asked);
                after(&mut view, said)
            },
        )
    }

    // From the guest's memory into the file and back, with nothing in between.

    fn get<E>(&mut self, interface: &str, name: &str) -> wasmtime::Result<()>
    where
        E: From<Refusal> + Lower + Send + 'static,
    {
        let view = self.view;
        self.linker.instance(interface)?.func_wrap(
            name,
            move |mut store: StoreContextMut<'_, T>, (bucket, key): (Handle, WasmStr)| {
                let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
                let value = bucket.get(key.to_str(&store)?.as_bytes());
                Ok::<Answer<Option<Bytes>, E>, _>((value.map_err(Into::into),))
            },
        )
    }

    fn set<E>(&mut self, interface: &str, name: &str) -> wasmtime::Result<()>
    where
        E: From<Refusal> + Lower + Send + 'static,
    {
        let view = self.view;
        self.linker.instance(interface)?.func_wrap(
            name,
            move |mut store: StoreContextMut<'_, T>,
                  (bucket, key, value): (Handle, WasmStr, WasmList<u8>)| {
                let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
                let key = key.to_str(&store)?;
                let set = bucket.put(key.as_bytes(), value.as_le_slice(&store));
                Ok::<Answer<(), E>, _>((set.map_err(Into::into),))
            },
        )
    }

    fn get_bytes<E>(&mut self, interface: &str, name: &str) -> wasmtime::Result<()>
    where
        E: From<Refusal> + Lower + Send + 'static,
    {
        let view = self.view;
        self.linker.instance(interface)?.func_wrap(
            name,
            move |mut store: StoreContextMut<'_, T>, (bucket, key): (Handle, WasmList<u8>)| {
                let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
                let value = bucket.get(key.as_le_slice(&store));
                Ok::<Answer<Option<Bytes>, E>, _>((value.map_err(Into::into),))
            },
        )
    }

    fn put_bytes<E>(&mut self, interface: &str, name: &str) -> wasmtime::Result<()>
    where
        E: From<Refusal> + Lower + Send + 'static,
    {
        let view = self.view;
        self.linker.instance(interface)?.func_wrap(
            name,
            move |mut store: StoreContextMut<'_, T>,
                  (bucket, key, value): (Handle, WasmList<u8>, WasmList<u8>)| {
                let bucket = bucket_of(&view(store.data_mut()), &bucket)?;
                let put = bucket.put(key.as_le_slice(&store), value.as_le_slice(&store));
                Ok::<Answer<(), E>, _>((put.map_err(Into::into),))
            },
        )
    }
}

/// Functions that may be waited for: a backend that is not on this machine is asked on a thread of tokio's that may wait.
#[cfg(feature = "async")]
pub struct Awaited<'l, T: 'static, V> {
    pub linker: &'l mut Linker<T>,
    pub view: V,
}

#[cfg(feature = "async")]
impl<T: Send + 'static, V: View<T>> Functions for Awaited<'_, T, V> {
    fn resource<R: Send + 'static>(&mut self, interface: &str, name: &str) -> wasmtime::Result<()> {
        resource::<T, R>(self.linker, self.view, interface, name)
    }

    fn call<P, A, B, R>(
        &mut self,
        interface: &str,
        name: &str,
        before: impl Fn(&mut KeyValue<'_>, P) -> wasmtime::Result<Question<A>>
        + Copy
        + Send
        + Sync
        + 'static,
        ask: impl Fn(A) -> B + Copy + Send + Sync + 'static,
        after: impl Fn(&mut KeyValue<'_>, B) -> wasmtime::Result<R> + Copy + Send + Sync + 'static,
    ) -> wasmtime::Result<()>
    where
        P: ComponentNamedList + Lift + 'static,
        A: Send + 'static,
        B: Send + 'static,
        R: ComponentNamedList + Lower + 'static,
    {
        let view = self.view;
        self.linker.instance(interface)?.func_wrap_async(
            name,
            move |mut store: StoreContextMut<'_, T>, params: P| {
                let question = before(&mut view(store.data_mut()), params);
                Box::new(async move {
                    let Question { asked, is_remote } = question?;
                    let said = if is_remote {
                        tokio::task::spawn_blocking(move || ask(asked)).await?
                    } else {
                        ask(asked)
                    };
                    after(&mut view(store.data_mut()), said)
                })
            },
        )
    }
}

fn resource<T: 'static, R: Send + 'static>(
    linker: &mut Linker<T>,
    view: impl View<T>,
    interface: &str,
    name: &str,
) -> wasmtime::Result<()> {
    linker
        .instance(interface)?
        .resource(name, ResourceType::host::<R>(), move |mut store, rep| {
            let table = view(store.data_mut()).table;
            table.delete(Resource::<R>::new_own(rep))?;
            Ok(())
        })
}
