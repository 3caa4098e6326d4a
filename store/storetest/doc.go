// Package storetest holds the one conformance suite that every database behind
// store must pass, and starts PostgreSQL for the tests that need one: a server
// of the test process's own, in a temporary folder, that ends with the
// process, however that ends.
//
// The suite calls the methods of store.DB as the features do, and checks what they
// promise in words: what is returned, which error wins, what a refused change leaves
// behind, and that of several callers at once one wins. It knows no SQL, so that the
// same test holds for every dialect, and no time but at(n), which it passes in. A
// promise that is added to a Store interface gets its test here; what only one
// database does is tested in package store.
//
// What breaks a database is here as well: Server.Stop for a crash, Proxy for a
// network that swallows packets, LockFile for another process, OnSmallDisk for a
// full disk.
package storetest
