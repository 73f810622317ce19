//! `host show`: digits of a dataset as text.

use crate::art;
use crate::cli::ShowArgs;
use crate::console::Console;
use crate::data::{self, Cut};
use crate::failure::{Failure, fail};
use crate::session::thousands;
use std::process::ExitCode;

/// Prints test digits, four to a row.
pub(crate) fn run(args: ShowArgs) -> Result<ExitCode, Failure> {
    let console = Console::new(false);
    let splits = data::load(&args.data, Cut::default(), &console)?;
    let test = &splits.test;
    if args.index >= test.len() {
        return fail!(
            "there is no digit {}: {} has test digits 0 to {}",
            args.index,
            splits.name,
            test.len() - 1
        );
    }
    let wanted = test.images.iter().zip(&test.labels).enumerate().skip(args.index);
    let wanted = wanted.filter(|(_, (_, label))| args.label.is_none_or(|wanted| wanted == **label));
    let wanted: Vec<_> = wanted.take(args.count as usize).collect();
    if let (true, Some(label)) = (wanted.is_empty(), args.label) {
        return fail!("there is no {label} from digit {} on: lower --index", args.index);
    }
    console.line(format_args!(
        "{} of the {} test digits of {} ({})\n",
        wanted.len(),
        thousands(test.len() as u64),
        splits.name,
        splits.origin
    ));
    let cells = wanted
        .iter()
        .map(|(index, (image, label))| (*image, vec![format!("{label}  (digit {index})")]));
    console.line(art::gallery(cells));
    Ok(ExitCode::SUCCESS)
}
