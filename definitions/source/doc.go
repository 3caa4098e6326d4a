// Package source reads the text of definitions and of request bodies: JSON and
// YAML become trees of nodes, each with its place in the text. It reads strictly
// (no repeated keys, no NUL, bounded sizes, numbers kept as written) and goes on
// after every mistake that it can go on after, so that one reading reports all of
// them. It collects diagnostics by node and turns them into issues with pointer,
// line and column.
//
// The canonical form that it writes is what stored definitions are and what their
// hashes cover: it must not change by a byte.
//
// It does not know what a workflow is.
package source
