// Package advice knows how other products, and people, write what Heddle writes
// differently: words for fields and values, whole formats, and the mistakes that
// values of another type stand for. It words diagnostics with what to write
// instead; it decides nothing about soundness.
package advice
