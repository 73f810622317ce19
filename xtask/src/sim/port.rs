//! A real board on a serial port.

use super::line::Line;
use anyhow::{Result, bail};
use serialport::{ErrorKind, SerialPortType};
use std::io;
use std::time::Duration;

/// Opens the port called `name`, 8 data bits, no parity, no flow control.
pub(crate) fn open(name: &str, baud: u32, timeout: Duration) -> Result<Line> {
    // The reading thread comes back this often, to see whether it is still wanted.
    let opened = serialport::new(name, baud).timeout(Duration::from_millis(100)).open();
    let mut port = match opened {
        Ok(port) => port,
        Err(error) => bail!("{}", complaint(name, &error)),
    };
    // A board whose port is USB waits for it; a line that has no such wire says so, which is fine.
    let _ = port.write_data_terminal_ready(true);
    let _ = port.clear(serialport::ClearBuffer::All);
    let reader = match port.try_clone() {
        Ok(reader) => reader,
        Err(error) => bail!("{}", complaint(name, &error)),
    };
    Ok(Line::new(&format!("the board on {name}"), reader, port, timeout))
}

fn complaint(name: &str, error: &serialport::Error) -> String {
    match error.kind() {
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => format!(
            "{name}: opening it is not permitted: `sudo usermod -aG dialout $USER`, then log in again"
        ),
        ErrorKind::NoDevice | ErrorKind::Io(io::ErrorKind::NotFound) => {
            let there = names();
            let there = if there.is_empty() { "none".into() } else { there.join(", ") };
            format!("{name}: there is no such port: plug the board in (found: {there})")
        }
        _ => format!("{name}: opening it failed ({error}): does another program use it?"),
    }
}

/// The ports that may have a board behind them.
pub(crate) fn names() -> Vec<String> {
    let ports = serialport::available_ports().unwrap_or_default();
    let usb = ports.into_iter().filter(|port| !matches!(port.port_type, SerialPortType::PciPort));
    usb.map(|port| port.port_name).collect()
}
