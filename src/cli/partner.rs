//! `signalbox partner pas|central`: the demo's partners, each on its own.
