// Package schemas checks values against JSON Schemas (2020-12) that authors wrote.
// It loads nothing from outside, words what is wrong in the product's own words,
// and bounds the work of every check: a schema that could cost more is refused, or
// its check ends with an error. It quotes no part of a value, which may hold a
// secret.
package schemas
