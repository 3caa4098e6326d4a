package machine

import (
	"bytes"
	"encoding/json"
)

// chunkSize is how many neighbouring results are packed together. Snapshots depend on it.
const chunkSize = 256

// resultList is what the iterations of a loop collected, by index. It is persistent as a
// trie is. Once all results of a chunk are there they are packed into one JSON list: a
// million numbers take their text and not much more. With chunks of four, the results of
// seven iterations of which the one with index 5 is still open would be
//
//	chunks[0]   [v0,v1,v2,v3]
//	single      4: v4, 6: v6
//	looseCount  1: 2
type resultList struct {
	single     trie[json.RawMessage] // results that are not packed, by index
	looseCount trie[int]             // loose results of a chunk, by its number
	chunks     trie[json.RawMessage] // "[v,v,…]", by its number
}

// set adds the result of an iteration. An index is set once. v is kept until its chunk is
// packed.
func (l *resultList) set(edit, index uint64, v json.RawMessage) {
	l.single.set(edit, index, v)
	n := index / chunkSize
	have, _ := l.looseCount.get(n)
	l.looseCount.set(edit, n, have+1)
	if have+1 == chunkSize {
		l.pack(edit, n)
	}
}

// pack joins the results of chunk n, which is full. One with a reference to a blob stays
// unpacked, so that references are found.
func (l *resultList) pack(edit, n uint64) {
	size := 1
	for i := n * chunkSize; i < (n+1)*chunkSize; i++ {
		v, _ := l.single.get(i)
		if bytes.HasPrefix(v, []byte(refPrefix)) {
			return
		}
		size += len(orNull(v)) + 1
	}
	list := append(make([]byte, 0, size), '[')
	for i := n * chunkSize; i < (n+1)*chunkSize; i++ {
		v, _ := l.single.get(i)
		if i > n*chunkSize {
			list = append(list, ',')
		}
		list = append(list, orNull(v)...)
		l.single.delete(edit, i)
	}
	l.looseCount.delete(edit, n)
	l.chunks.set(edit, n, append(list, ']'))
}

// appendTo appends the first n results, comma between them, each as content returns it; one
// that is missing is null. Packed chunks hold no references and are appended as they are.
func (l *resultList) appendTo(buf []byte, n int, content func(json.RawMessage) (json.RawMessage, error)) ([]byte, error) {
	for i := 0; i < n; {
		if i > 0 {
			buf = append(buf, ',')
		}
		if list, ok := l.chunks.get(uint64(i / chunkSize)); ok && i+chunkSize <= n {
			buf = append(buf, list[1:len(list)-1]...)
			i += chunkSize
			continue
		}
		v, _ := l.single.get(uint64(i))
		v, err := content(v)
		if err != nil {
			return nil, err
		}
		buf = append(buf, orNull(v)...)
		i++
	}
	return buf, nil
}

// savedResult is one result, or a packed chunk of them, in a snapshot.
type savedResult struct {
	Index uint64          `json:"i"` // of a chunk: the first one's
	Value json.RawMessage `json:"v,omitempty"`
	Chunk json.RawMessage `json:"chunk,omitempty"`
}

// save returns all results for a snapshot, packed ones as chunks.
func (l *resultList) save() []savedResult {
	var list []savedResult
	l.chunks.all(func(n uint64, v json.RawMessage) bool {
		list = append(list, savedResult{Index: n * chunkSize, Chunk: v})
		return true
	})
	l.single.all(func(i uint64, v json.RawMessage) bool {
		list = append(list, savedResult{Index: i, Value: orNull(v)})
		return true
	})
	return list
}

// load adds what save returned. Chunks are copied, so that the snapshot's text is not
// retained.
func (l *resultList) load(edit uint64, saved []savedResult) {
	for _, s := range saved {
		if s.Chunk != nil {
			l.chunks.set(edit, s.Index/chunkSize, bytes.Clone(s.Chunk))
		} else {
			l.set(edit, s.Index, s.Value)
		}
	}
}
