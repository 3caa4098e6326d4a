// Package workflows keeps workflows: the changeable objects that have versions of
// a definition, a status and tags. Service checks what authors send and decides
// what a change writes; Store, which the caller supplies, writes it in one
// transaction.
package workflows
