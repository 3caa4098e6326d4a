// Package parser decodes the text of a definition into its Go types by the rules
// in their tags, and publishes the same rules as JSON Schema. What it returns may
// still be unsound: package validation finds what one field alone cannot show.
//
// A definition is decoded in three steps: package source turns the text into a
// tree; the tree is written in canonical form, which gives each node its span in
// it; then the decoder walks tree and Go types together. It is not encoding/json,
// because every mistake must be reported in one pass, with its place and with
// what to write instead.
//
// A field's rule tag says what its Go type does not:
//
//	required          the field must be there
//	len=1..200        characters of a text, items of a list; 0 as the upper bound: none
//	range=0..100      a number, both bounds included
//	enum=a|b          one of the words
//	pattern=id        one of the named patterns (see named)
//	expression        a bare expression: not empty, at most MaxExpressionBytes
//	object            raw JSON that must be an object
//	forms=count|…     raw JSON in one of several forms, which validation checks
//
// Parse and ParseRequest are pure and may be called concurrently; a Document
// belongs to one goroutine at a time, since lookups in its tree fill indexes.
package parser
