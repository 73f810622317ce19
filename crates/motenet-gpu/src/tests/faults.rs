//! Devices that fail.

use super::gpu;
use crate::device::silence;
use crate::{Error, GpuTrainer};
use motenet::{Params, Simd};
use motenet_data::made_up;
use motenet_models::Model;
use motenet_models::digits::Notebook;
use motenet_train::{Settings, Trainer};
use std::ops::ControlFlow;

#[test]
fn a_lost_device_is_an_error_and_takes_nothing_along() {
    let Some(gpu) = gpu() else { return };
    let train = made_up::digits(1, 0, 200);
    let settings = Settings { recipe: Notebook::RECIPE, seed: 1 };
    let fresh: Trainer<Notebook> = Trainer::new(settings, 1, Simd::detect());
    let mut device = GpuTrainer::new(&gpu, fresh, &train).unwrap();
    device.train_epoch(|_, _| ControlFlow::Continue(())).unwrap();
    let saved = device.trainer().unwrap().network().flat().to_vec();
    gpu.destroy();
    let error = device.train_epoch(|_, _| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error}");
    assert!(
        error.to_string().lines().count() == 1 && error.to_string().contains("--resume"),
        "{error}"
    );
    // What was not read back cannot be had, and is not made up.
    assert!(matches!(device.trainer().map(|_| ()), Err(Error::Lost { .. })));
    let another =
        GpuTrainer::new(&gpu, Trainer::<Notebook>::new(settings, 1, Simd::detect()), &train);
    assert!(matches!(another.err(), Some(Error::Lost { .. })));
    assert_eq!(saved.len(), 7960);
}

#[test]
fn memory_that_runs_out_is_an_error() {
    let Some(gpu) = gpu() else { return };
    // More than the device may bind, so nothing is allocated.
    let bytes = u64::MAX / 2;
    let error = gpu.storage("a test", bytes).unwrap_err();
    assert!(matches!(error, Error::TooLarge { found, .. } if found == bytes));
    let source: Box<dyn std::error::Error + Send + Sync> = "no room".into();
    assert_eq!(Error::from(wgpu::Error::OutOfMemory { source }), Error::OutOfMemory);
    // A complaint that no call returns is kept until the next one.
    let buffer = gpu.storage("a test", 16).unwrap();
    gpu.queue.write_buffer(&buffer, 8, &[0; 64]);
    let error = gpu.check().unwrap_err();
    assert!(
        matches!(error, Error::Defect { .. }) && error.to_string().lines().count() == 1,
        "{error}"
    );
}

#[test]
fn that_nothing_answers_is_told_from_what_is_not_here() {
    let (all, none) = (wgpu::Backends::all(), wgpu::Backends::empty());
    assert!(silence(all).starts_with("no driver of "), "{}", silence(all));
    assert!(silence(all).ends_with(" answered") && !silence(all).contains('|'));
    assert!(silence(none).starts_with("WGPU_BACKEND names no kind"), "{}", silence(none));
}
