// Package source reads the text of definitions and of request bodies: JSON and
// YAML become trees of nodes, each with its place in the text. It reads strictly
// (no repeated keys, no NUL, bounded sizes, numbers kept as written) and goes on
// after every mistake that it can go on after, so that one reading reports all of
// them. It collects diagnostics by node and turns them into issues with pointer,
// line and column.
//
// The parts, in the order in which a text passes through them:
//
//   - ScanNodes (scan*.go) reads JSON by hand, in one pass, because encoding/json
//     keeps no places and stops at the first mistake.
//   - ScanYAML (yaml.go) reads YAML by a library and turns its tree into nodes.
//     What the library reads differently from YAML 1.2 is rewritten before and
//     after (yaml_text.go); what it refuses is scanned again, coarsely, for the
//     place and the mistake (yaml_fault.go).
//   - Diagnostics collects what the scan and all later checks find. Each is tied
//     to a node; only Resolve turns nodes into pointers, lines and columns.
//   - Render writes a tree in canonical form and records each
//     node's span in it, so that parts of a definition can be cut out of it
//     without writing them again.
//
// For example {"b": 1.0, "a": "\u0041"} becomes an object of a number "1.0" and a
// string "A", and its canonical form is {"a":"A","b":1.0}. The same in YAML makes
// the same tree, but for the places, and the same bytes.
//
// Two rules keep messages few. A value that was reported becomes Bad, and no
// later check says anything about a Bad value. A member that was refused hangs
// outside of the tree, below a synthetic node, where its own mistakes still have
// a place.
//
// The canonical form is what stored definitions are and what their hashes cover:
// it must not change by a byte.
//
// All work is bounded by Limits: bytes, depth, the length of a text and the
// number of values; diagnostics are bounded in number and in bytes. Functions may
// be called concurrently; trees, texts and diagnostics belong to one goroutine at
// a time.
//
// The package does not know what a workflow is.
package source
