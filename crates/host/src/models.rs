//! `host models`: the table of all models.

use crate::console::Console;
use crate::failure::Failure;
use crate::resolve;
use motenet::{LayerInfo, Params};
use motenet_models::digits::DigitModel;
use motenet_models::rectangles::RectangleModel;
use motenet_models::{Model, digits, rectangles};
use std::process::ExitCode;

/// Prints the table.
pub(crate) fn run() -> Result<ExitCode, Failure> {
    let console = Console::new(false);
    for (title, names) in [
        ("Digits, 28×28 pixels", digits::NAMES),
        ("Averages of a rectangle, to learn from", rectangles::NAMES),
    ] {
        console.line(console.bold(title));
        let [model, layers, count, macs, about] =
            ["model", "layers", "parameters", "MACs", "about"];
        let header =
            format!("  {model:<18} {layers:<11} {count:>10} {:>9} {macs:>7}  {about}", "bytes");
        console.line(console.dim(header));
        for name in names {
            let Some(card) = card(name) else { continue };
            console.line(format_args!(
                "  {name:<18} {:<11} {:>10} {:>9} {:>7}  {}",
                card.shape,
                card.parameters,
                4 * card.parameters,
                card.macs,
                card.about
            ));
        }
        console.line("");
    }
    console.line(format_args!(
        "Train one: host --model NAME (without it: {}). MACs: multiply-accumulates for one answer.",
        resolve::DEFAULT_MODEL
    ));
    Ok(ExitCode::SUCCESS)
}

/// What the table says of a model.
pub(crate) struct Card {
    pub(crate) shape: String,
    pub(crate) parameters: usize,
    pub(crate) macs: usize,
    pub(crate) about: &'static str,
}

impl Card {
    pub(crate) fn of<M: Model>() -> Self {
        let (mut shape, mut macs) = (String::new(), 0);
        M::describe(&mut |layer: LayerInfo| {
            macs += layer.macs;
            // Layers that keep the length, such as nonlinearities, do not show.
            if shape.is_empty() {
                shape = layer.input_len.to_string();
            }
            if layer.params > 0 || layer.input_len != layer.output_len {
                shape.push_str(&format!("-{}", layer.output_len));
            }
        });
        Card { shape, macs, parameters: M::Network::COUNT, about: M::ABOUT }
    }
}

struct Describe;

impl digits::Visit for Describe {
    type Result = Card;
    fn visit<M: DigitModel>(self) -> Card {
        Card::of::<M>()
    }
}

impl rectangles::Visit for Describe {
    type Result = Card;
    fn visit<M: RectangleModel<LEN>, const LEN: usize>(self) -> Card {
        Card::of::<M>()
    }
}

fn card(name: &str) -> Option<Card> {
    digits::find(name, Describe).or_else(|| rectangles::find(name, Describe))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_name_the_layers_that_learn() {
        let card = card("mlp").unwrap();
        assert_eq!(
            (card.shape.as_str(), card.parameters, card.macs),
            ("784-64-10", 50_890, 50_816)
        );
        assert_eq!(super::card("napkin-relu").unwrap().shape, "4-8-8-1");
        assert!(resolve::names().all(|name| super::card(name).is_some()));
    }
}
