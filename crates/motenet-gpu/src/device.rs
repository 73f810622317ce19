//! The device: found, opened, given work, and asked what went wrong.

use crate::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

/// Bytes between two entries of a buffer of [`Batch`](crate::batch::Batch): the most that any device asks for.
const ALIGNMENT: u32 = 256;

/// Storage buffers that one kernel binds, at most.
const STORAGE_BUFFERS: u32 = 5;

/// An open device.
#[derive(Clone, Debug)]
pub struct Gpu {
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    info: wgpu::AdapterInfo,
    fault: Fault,
}

/// The first error that no call returned.
#[derive(Clone, Debug, Default)]
struct Fault(Arc<Mutex<Option<Error>>>);

impl Fault {
    fn report(&self, error: Error) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // That the device is gone explains whatever followed.
        if first.is_none() || matches!(error, Error::Lost { .. }) {
            *first = Some(error);
        }
    }

    fn get(&self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Gpu {
    /// Opens the fastest adapter, or the one that the environment names (`WGPU_BACKEND`, `WGPU_ADAPTER_NAME`).
    ///
    /// A software adapter (Mesa's lavapipe) is taken where there is no other: slow, but the same kernels.
    ///
    /// # Errors
    /// [`Error::NoAdapter`], [`Error::Refused`].
    pub fn open() -> Result<Self, Error> {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::from_env().unwrap_or(wgpu::Backends::all());
        descriptor.flags = wgpu::InstanceFlags::empty();
        let asked = descriptor.backends;
        let instance = wgpu::Instance::new(descriptor);
        let adapters = pollster::block_on(instance.enumerate_adapters(asked));
        let wanted = std::env::var("WGPU_ADAPTER_NAME").unwrap_or_default().to_lowercase();
        let mut found: Vec<_> =
            adapters.iter().map(|adapter| (adapter, adapter.get_info())).collect();
        let names: Vec<_> = found.iter().map(|(_, info)| info.name.clone()).collect();
        found.retain(|(_, info)| info.name.to_lowercase().contains(&wanted));
        let Some((adapter, info)) = found.into_iter().min_by_key(|(_, info)| rank(info)) else {
            let reason = match names.as_slice() {
                [] => silence(asked),
                names => format!("WGPU_ADAPTER_NAME is {wanted:?}, there is {}", names.join(", ")),
            };
            return Err(Error::NoAdapter { reason });
        };
        Self::request(adapter, info)
    }

    fn request(adapter: &wgpu::Adapter, info: wgpu::AdapterInfo) -> Result<Self, Error> {
        let refused = |reason: String| Error::Refused {
            name: info.name.clone(),
            reason: Error::line(&reason),
        };
        let limits = adapter.limits();
        if limits.max_storage_buffers_per_shader_stage < STORAGE_BUFFERS
            || limits.max_compute_invocations_per_workgroup < 256
        {
            return Err(refused("its compute shaders are too small".into()));
        }
        let request = adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("motenet"),
            required_limits: limits,
            ..Default::default()
        });
        let (device, queue) =
            pollster::block_on(request).map_err(|error| refused(error.to_string()))?;
        let fault = Fault::default();
        let on_error = fault.clone();
        device
            .on_uncaptured_error(Arc::new(move |error: wgpu::Error| on_error.report(error.into())));
        let on_loss = fault.clone();
        device.set_device_lost_callback(move |reason, text| {
            let text = if text.is_empty() { format!("{reason:?}").to_lowercase() } else { text };
            on_loss.report(Error::lost(&text));
        });
        Ok(Gpu { device, queue, info, fault })
    }

    /// What the adapter calls itself, and how it is driven: `NVIDIA H100 (Vulkan)`.
    pub fn name(&self) -> String {
        format!("{} ({:?})", self.info.name, self.info.backend)
    }

    /// Whether the adapter is a program that runs on the CPU.
    pub fn is_software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
    }

    /// Gives the device back, as a driver that resets it does; everything on it is gone.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// The error that was reported since the device was opened, if any.
    ///
    /// # Errors
    /// That error. A device that was lost stays lost.
    pub fn check(&self) -> Result<(), Error> {
        if matches!(self.fault.get(), Some(Error::Defect { .. })) {
            // Whatever is done with a device that is gone is complained about first; that it is gone is
            // said when it is polled.
            let _ = self.poll(wgpu::PollType::Poll);
        }
        self.fault.get().map_or(Ok(()), Err)
    }

    /// wgpu panics where a device is lost while it is waited for; that must not end a run without a word.
    fn poll(&self, how: wgpu::PollType) -> Option<Result<wgpu::PollStatus, wgpu::PollError>> {
        catch_unwind(AssertUnwindSafe(|| self.device.poll(how))).ok()
    }

    /// A buffer of `bytes`, in which the device can store.
    pub(crate) fn storage(&self, what: &'static str, bytes: u64) -> Result<wgpu::Buffer, Error> {
        let limits = self.device.limits();
        let limit = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        if bytes > limit {
            let advice = "use less data, or train with --device cpu";
            return Err(Error::TooLarge { what, found: bytes, limit, unit: "bytes", advice });
        }
        use wgpu::BufferUsages as Usage;
        Ok(self.buffer(bytes, Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC))
    }

    /// The same, with `words`, numbers of four bytes, in it.
    pub(crate) fn filled<W: bytemuck::NoUninit>(
        &self,
        what: &'static str,
        words: &[W],
    ) -> Result<wgpu::Buffer, Error> {
        let buffer = self.storage(what, size_of_val(words) as u64)?;
        self.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(words));
        Ok(buffer)
    }

    /// A buffer of `count` entries for the kernels' `batch`.
    pub(crate) fn batches(&self, count: usize) -> Result<wgpu::Buffer, Error> {
        let (bytes, limit) = (batch_offset(count), self.device.limits().max_buffer_size);
        if bytes > limit || bytes > u64::from(u32::MAX) {
            let advice = "raise --batch-size, or train with --device cpu";
            return Err(Error::TooLarge {
                what: "steps of an epoch",
                found: bytes,
                limit,
                unit: "bytes",
                advice,
            });
        }
        Ok(self.buffer(bytes, wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST))
    }

    fn buffer(&self, bytes: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        // No device binds a buffer of size zero.
        let size = bytes.max(4).next_multiple_of(4);
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage,
            mapped_at_creation: false,
        })
    }

    fn wait(&self) -> Result<(), Error> {
        self.check()?;
        let waited = self.poll(wgpu::PollType::wait_indefinitely());
        self.check()?;
        match waited {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(Error::defect(error)),
            None => {
                self.fault.report(Error::lost("it stopped answering"));
                self.check()
            }
        }
    }

    /// Hands over `encoder`'s work, waits for it, and reads so many bytes of each of `parts`, in one go.
    pub(crate) fn read(
        &self,
        mut encoder: wgpu::CommandEncoder,
        parts: &[(&wgpu::Buffer, u64)],
    ) -> Result<Vec<Vec<f32>>, Error> {
        let total = parts.iter().map(|(_, bytes)| bytes).sum();
        use wgpu::BufferUsages as Usage;
        let staging = self.buffer(total, Usage::MAP_READ | Usage::COPY_DST);
        let mut at = 0;
        for &(buffer, bytes) in parts {
            encoder.copy_buffer_to_buffer(buffer, 0, &staging, at, bytes);
            at += bytes;
        }
        self.check()?;
        self.queue.submit([encoder.finish()]);
        let floats = self.map(&staging)?;
        let mut rest = floats.as_slice();
        Ok(parts
            .iter()
            .map(|&(_, bytes)| {
                let (part, tail) = rest.split_at(bytes as usize / 4);
                rest = tail;
                part.to_vec()
            })
            .collect())
    }

    fn map(&self, staging: &wgpu::Buffer) -> Result<Vec<f32>, Error> {
        let (sender, receiver) = mpsc::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            let _ = sender.send(result); // nobody waits for it after an error
        });
        self.wait()?;
        match receiver.recv() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(Error::lost(&error.to_string())),
            Err(error) => return Err(Error::defect(error)),
        }
        let range = staging.get_mapped_range(..).map_err(Error::defect)?;
        Ok(bytemuck::pod_collect_to_vec(&range))
    }
}

/// Where entry `index` of a buffer of batches begins.
pub(crate) fn batch_offset(index: usize) -> u64 {
    index as u64 * u64::from(ALIGNMENT)
}

/// Why `asked` gave nothing.
pub(crate) fn silence(asked: wgpu::Backends) -> String {
    const NAMES: [(wgpu::Backends, &str); 4] = [
        (wgpu::Backends::VULKAN, "Vulkan"),
        (wgpu::Backends::METAL, "Metal"),
        (wgpu::Backends::DX12, "DirectX 12"),
        (wgpu::Backends::GL, "OpenGL"),
    ];
    let able = wgpu::Instance::enabled_backend_features();
    let of = |backends: wgpu::Backends| {
        let names = NAMES.iter().filter(|(flag, _)| backends.contains(*flag));
        names.map(|(_, name)| *name).collect::<Vec<_>>().join(" or ")
    };
    match of(asked & able).as_str() {
        "" => format!("WGPU_BACKEND names no kind of driver that is here ({})", of(able)),
        names => format!("no driver of {names} answered"),
    }
}

/// Real devices first, and their native interfaces before OpenGL.
fn rank(info: &wgpu::AdapterInfo) -> (u32, bool) {
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    };
    (kind, info.backend == wgpu::Backend::Gl)
}
