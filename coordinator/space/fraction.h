// Probabilities of exact counts.
#ifndef FRONTIER_COORDINATOR_SPACE_FRACTION_H_
#define FRONTIER_COORDINATOR_SPACE_FRACTION_H_

#include <gmpxx.h>

#include <cstdint>

namespace frontier::coordinator {

// floor(2^64 * part / whole) for part < whole.
inline uint64_t Fraction(const mpz_class& part, const mpz_class& whole) {
  const mpz_class quotient = (part << 64) / whole;
  // unsigned long has 32 bits on some platforms.
  const mpz_class high = quotient >> 32;
  const mpz_class low = quotient - (high << 32);
  return (static_cast<uint64_t>(high.get_ui()) << 32) | low.get_ui();
}

}  // namespace frontier::coordinator

#endif  // FRONTIER_COORDINATOR_SPACE_FRACTION_H_
