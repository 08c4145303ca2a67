//! How sagas go, drawn from the engine's own news: a tree on a terminal, else lines.

mod board;
mod plain;
mod tree;

pub use board::{Board, View};
use plain::Plain;
use tree::Tree;

use crate::args::ProgressForm;
use crate::settings::Settings;
use crate::ui::Ui;
use escrr_engine::Progress;

/// Shows how sagas go, in the form that was asked for.
pub enum Screen {
    /// Nothing.
    None,
    /// One line a transition.
    Plain(Plain),
    /// A live tree.
    Tree(Tree),
}

impl Screen {
    /// The screen that the settings ask for.
    pub fn new(settings: &Settings) -> Self {
        match settings.progress {
            ProgressForm::None => Self::None,
            ProgressForm::Auto | ProgressForm::Plain => Self::Plain(Plain::default()),
            ProgressForm::Tree => {
                Self::Tree(Tree::on_stderr(settings.color_stderr, settings.unicode))
            }
        }
    }

    /// Something happened; the board knows it already.
    pub fn news(&mut self, board: &Board, progress: &Progress, ui: &Ui) {
        match self {
            Self::None | Self::Tree(_) => {}
            Self::Plain(plain) => plain.news(board, progress, ui),
        }
    }

    /// A short while of real time went by.
    pub fn tick(&mut self, board: &Board, now_ms: u64) {
        match self {
            Self::None | Self::Plain(_) => {}
            Self::Tree(tree) => tree.draw(board, now_ms),
        }
    }

    /// Says something in between.
    pub fn say(&mut self, ui: &Ui, text: &str) {
        if let Self::Tree(tree) = self {
            tree.clear();
        }
        ui.status(text);
    }

    /// Nothing more comes; what is drawn last stays.
    pub fn end(&mut self, board: &Board, now_ms: u64) {
        if let Self::Tree(tree) = self {
            tree.rest(board, now_ms);
        }
    }
}
