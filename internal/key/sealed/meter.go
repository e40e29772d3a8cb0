package sealed

import (
	"crypto"
	"fmt"
	"strconv"
)

const (
	// budget is the work that one container may ask for, in nanoseconds of a machine of today without SHA instructions.
	// It is a count, not a clock: the same container is accepted or refused everywhere.
	budget = 2_000_000_000

	// maxMemory is what one key derivation may allocate, in bytes.
	maxMemory = 32 << 20

	costScrypt = 400       // of one block of 128 bytes, written once and read once
	costArgon2 = 1500      // of filling one KiB, without assembly
	costBcrypt = 3_600_000 // of one round for one block of 32 bytes
)

// Meter adds up the work that one container asks for and refuses with a *CostError what exceeds the bounds: two seconds or
// so in all and 32 MiB for each derivation. Each method is called with the cost of a derivation before that runs; the cost
// never depends on the passphrase. The zero Meter is ready, for one container and one goroutine.
type Meter struct{ spent int64 }

// Hash accounts for a derivation that iterates a hash or its HMAC (PBKDF1, PBKDF2, RFC 7292, appendix B): iterations for each
// of the given number of output blocks. The name is the one that an error shows. An iteration count of zero is malformed.
func (m *Meter) Hash(name string, h crypto.Hash, iterations, blocks int) error {
	if iterations < 1 {
		return Malformed(fmt.Sprintf("%s with %d iterations", name, iterations))
	}
	unit := hashCost(h) * int64(max(blocks, 1))
	return m.spend(int64(iterations), unit, fmt.Sprintf("%s with %d iterations", name, iterations), "iterations")
}

// Scrypt accounts for scrypt with the parameters of RFC 7914, section 2.
func (m *Meter) Scrypt(n, r, p int) error {
	if n < 2 || n&(n-1) != 0 || r < 1 || p < 1 {
		return Malformed(fmt.Sprintf("scrypt with N %d, r %d, p %d", n, r, p))
	}
	cost := fmt.Sprintf("scrypt with N %d, r %d, p %d", n, r, p)
	const maxBlocks = maxMemory / 128
	if n > maxBlocks/min(r, maxBlocks) || p > maxBlocks/min(r, maxBlocks) || r > maxBlocks {
		return memoryError(cost)
	}
	return m.spend(int64(n)*int64(r), costScrypt*int64(p), cost, "for N times r")
}

// Argon2 accounts for Argon2 of any variant (RFC 9106, section 3.1), memory in KiB.
func (m *Meter) Argon2(memory, passes, lanes uint64) error {
	cost := fmt.Sprintf("Argon2 with %s KiB of memory, %s passes, parallelism %s", short(memory), short(passes), short(lanes))
	if passes < 1 || lanes < 1 || lanes > 255 || memory < 8*lanes {
		return Malformed(cost)
	}
	if memory > maxMemory>>10 {
		return memoryError(cost)
	}
	return m.spend(int64(min(passes, budget)), costArgon2*int64(memory), cost, "passes with that memory")
}

// Bcrypt accounts for bcrypt_pbkdf: rounds for each of the given number of blocks of 32 bytes.
func (m *Meter) Bcrypt(rounds uint32, blocks int) error {
	cost := fmt.Sprintf("bcrypt_pbkdf with %d rounds", rounds)
	if rounds < 1 {
		return Malformed(cost)
	}
	return m.spend(int64(rounds), costBcrypt*int64(blocks), cost, "rounds")
}

// spend takes count units of work from what is left; of names what count counts.
func (m *Meter) spend(count, unit int64, cost, of string) error {
	left := (budget - m.spent) / unit
	if count > left {
		return &CostError{Cost: cost, Bound: fmt.Sprintf("%d %s", left, of)}
	}
	m.spent += count * unit
	return nil
}

// short writes numbers that stand in the input as text, and does not repeat long ones.
func short(n uint64) string {
	const most = 1_000_000_000_000
	if n > most {
		return fmt.Sprintf("over %d", most)
	}
	return strconv.FormatUint(n, 10)
}

func memoryError(cost string) error {
	return &CostError{Cost: cost, Bound: fmt.Sprintf("%d MiB of memory", maxMemory>>20)}
}

func hashCost(h crypto.Hash) int64 {
	switch h {
	case crypto.MD5, crypto.SHA1, crypto.SHA224, crypto.SHA256:
		return 400
	default:
		return 800
	}
}
