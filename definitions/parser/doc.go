// Package parser decodes the text of a definition into its Go types by the rules
// in their tags, and publishes the same rules as JSON Schema. What it returns may
// still be unsound: package validation finds what one field alone cannot show.
package parser
