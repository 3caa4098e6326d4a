package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"strings"
)

// The form of a key: the prefix, 30 random base62 characters, and 6 base62
// characters of the CRC-32 of those 30. A scanner finds it with
// iw_live_[0-9A-Za-z]{36} and recognizes a real one by the checksum.
const (
	secretPrefix = "iw_live_"
	randomLen    = 30
	checkLen     = 6
	secretLen    = len(secretPrefix) + randomLen + checkLen
	base62       = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// newSecret returns the text of a new key. Its 30 random characters carry 178
// bits of entropy.
func newSecret() string {
	var b strings.Builder
	b.WriteString(secretPrefix)
	buf := make([]byte, 64)
	for n := 0; n < randomLen; {
		_, _ = rand.Read(buf) // never fails (crypto/rand)
		for _, c := range buf {
			// 248 is the largest multiple of 62 that fits in a byte; larger values
			// are dropped, so that every character is equally likely.
			if c < 248 && n < randomLen {
				b.WriteByte(base62[c%62])
				n++
			}
		}
	}
	b.WriteString(checksum(b.String()[len(secretPrefix):]))
	return b.String()
}

// checksum returns the CRC-32 (IEEE) of the random part as base62, most
// significant digit first. It protects against typing errors, not attackers.
func checksum(random string) string {
	v := crc32.ChecksumIEEE([]byte(random))
	var out [checkLen]byte
	for i := checkLen - 1; i >= 0; i-- {
		out[i] = base62[v%62]
		v /= 62
	}
	return string(out[:])
}

// wellFormed reports whether s has the form of a key, including its checksum.
// Everything else is refused without reading the store.
func wellFormed(s string) bool {
	if len(s) != secretLen || !strings.HasPrefix(s, secretPrefix) {
		return false
	}
	random := s[len(secretPrefix) : len(secretPrefix)+randomLen]
	for i := range len(random) {
		if strings.IndexByte(base62, random[i]) < 0 {
			return false
		}
	}
	return s[len(secretPrefix)+randomLen:] == checksum(random)
}

// digest returns the SHA-256 of a key's text. A generated key has so much entropy
// that a slow password hash would add nothing.
func digest(secret string) [sha256.Size]byte { return sha256.Sum256([]byte(secret)) }

// hexDigest returns the digest in the form that the store keeps (Key.Hash).
func hexDigest(secret string) string {
	d := digest(secret)
	return hex.EncodeToString(d[:])
}

// lastFour returns the last four bytes of a key's text, which must have as many.
func lastFour(secret string) string { return secret[len(secret)-4:] }
