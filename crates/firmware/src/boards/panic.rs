//! There is no panic: where the build promises that (`panic_free`), a panic that is left calls a
//! function that does not exist, and the linker stops.
//!
//! Some boards' crates have panics of their own (`panics` in boards.toml): such a board restarts. With the
//! feature `defmt` it says why, and stops for the probe to be looked at.

#[panic_handler]
#[inline(never)] // so that whoever calls it is known where a board keeps some
fn panic(#[allow(unused)] info: &core::panic::PanicInfo<'_>) -> ! {
    #[cfg(panic_free)]
    {
        unsafe extern "C" {
            safe fn a_panic_is_left_in_the_firmware() -> !;
        }
        a_panic_is_left_in_the_firmware()
    }
    #[cfg(feature = "defmt")]
    {
        defmt::error!("{}", defmt::Display2Format(info));
        loop {
            core::hint::spin_loop();
        }
    }
    #[cfg(not(any(panic_free, feature = "defmt")))]
    <super::Selected as super::Board>::restart()
}
