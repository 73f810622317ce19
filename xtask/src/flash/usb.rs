//! Debug probes on USB, and whether we may use them: what Linux says before any tool is asked.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

/// What gives a user the right to use probes.
pub(crate) const RULES: &str = "\
    install the udev rules of probe.rs/docs/getting-started/probe-setup, then unplug the probe and plug it in";

/// Makers and products of debug probes; no product: all of the maker's.
const KNOWN: [(u16, Option<u16>, &str); 17] = [
    (0x0483, Some(0x3744), "ST-Link"),
    (0x0483, Some(0x3748), "ST-Link V2"),
    (0x0483, Some(0x374a), "ST-Link V2-1"),
    (0x0483, Some(0x374b), "ST-Link V2-1"),
    (0x0483, Some(0x3752), "ST-Link V2-1"),
    (0x0483, Some(0x374d), "ST-Link V3"),
    (0x0483, Some(0x374e), "ST-Link V3"),
    (0x0483, Some(0x374f), "ST-Link V3"),
    (0x0483, Some(0x3753), "ST-Link V3"),
    (0x0483, Some(0x3754), "ST-Link V3"),
    (0x0483, Some(0x3757), "ST-Link V3"),
    (0x0d28, Some(0x0204), "DAPLink (micro:bit)"),
    (0x2e8a, Some(0x000c), "Raspberry Pi Debug Probe"),
    (0x1209, Some(0x4853), "HS-Probe"),
    (0x1366, None, "J-Link"),
    (0x1a86, Some(0x8010), "WCH-Link"),
    (0x303a, Some(0x1001), "ESP32 USB-JTAG"),
];

/// A debug probe that is plugged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Probe {
    /// What it is.
    pub(crate) name: &'static str,
    /// Its device file.
    pub(crate) node: PathBuf,
    /// Whether we may use it.
    pub(crate) writable: bool,
}

/// The probes that are plugged in; none where the system does not say.
pub(crate) fn probes() -> Vec<Probe> {
    probes_in(Path::new("/sys/bus/usb/devices"), Path::new("/dev/bus/usb"))
}

/// The sentence for a probe that we may not use.
pub(crate) fn no_permission(probe: &Probe) -> String {
    format!("{} ({}): using it is not permitted: {RULES}", probe.name, probe.node.display())
}

fn probes_in(devices: &Path, nodes: &Path) -> Vec<Probe> {
    let entries = fs::read_dir(devices).into_iter().flatten().flatten();
    let mut probes: Vec<_> = entries.filter_map(|entry| probe(&entry.path(), nodes)).collect();
    probes.sort_by(|a, b| a.node.cmp(&b.node));
    probes
}

fn probe(device: &Path, nodes: &Path) -> Option<Probe> {
    let field = |name: &str| fs::read_to_string(device.join(name)).ok();
    let id = |name: &str| u16::from_str_radix(field(name)?.trim(), 16).ok();
    let number = |name: &str| field(name)?.trim().parse::<u16>().ok();
    let (vendor, product) = (id("idVendor")?, id("idProduct")?);
    let (_, _, name) = KNOWN.iter().find(|(known_vendor, known_product, _)| {
        *known_vendor == vendor && known_product.is_none_or(|known| known == product)
    })?;
    let node =
        nodes.join(format!("{:03}", number("busnum")?)).join(format!("{:03}", number("devnum")?));
    // Opening sends nothing to the device.
    let writable = OpenOptions::new().read(true).write(true).open(&node).is_ok();
    Some(Probe { name, node, writable })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_are_found_and_their_permissions_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (devices, nodes) = (folder.path().join("sys"), folder.path().join("dev"));
        let plug = |name: &str, vendor: &str, product: &str, bus: &str, device: &str| {
            let path = devices.join(name);
            fs::create_dir_all(&path).unwrap();
            for (file, text) in
                [("idVendor", vendor), ("idProduct", product), ("busnum", bus), ("devnum", device)]
            {
                fs::write(path.join(file), format!("{text}\n")).unwrap();
            }
        };
        plug("1-2", "0483", "374b", "1", "12");
        plug("1-3", "046d", "c31c", "1", "13"); // a keyboard
        plug("2-1", "1366", "0105", "2", "3");
        plug("2-2", "0483", "5740", "2", "4"); // a serial port of the same maker
        fs::create_dir_all(nodes.join("001")).unwrap();
        fs::write(nodes.join("001/012"), "").unwrap();
        let probes = probes_in(&devices, &nodes);
        let found: Vec<_> = probes.iter().map(|probe| (probe.name, probe.writable)).collect();
        assert_eq!(found, [("ST-Link V2-1", true), ("J-Link", false)]);
        assert_eq!(probes[1].node, nodes.join("002/003"));
        assert!(no_permission(&probes[1]).contains("udev rules"));
        assert_eq!(probes_in(&folder.path().join("nowhere"), &nodes), []);
    }
}
