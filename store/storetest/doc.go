// Package storetest holds the one conformance suite that every database behind
// store must pass, and starts PostgreSQL for the tests that need one: a server
// of the test process's own, in a temporary folder, that ends with the
// process, however that ends.
package storetest
