#pragma once
// Operation names what is asked of Vault: the `operation` label of vault_requests_total, and what
// the judge needs to know to tell apart answers of the same status code.
//
// Threads:  constants.

#include <array>
#include <cstdint>
#include <string_view>

namespace tracekeeper::vault {

enum class Operation : std::uint8_t {
  kHealth,
  kLogin,
  kUnwrap,
  kTokenLookup,
  kTokenRenew,
  kTokenRevoke,
  kMountRead,
  kKvRead,
  kKvMetadata,
  kKvWrite,
  kKvDelete,
  kLeaseLookup,
  kLeaseRenew,
  kLeaseRevoke,
  kDatabaseCredentials,
  kDatabaseRotate,
  kPkiIssue,
  kPkiRevoke,
  kPkiAuthority,
  kTransitKey,
  kTransitRotate,
  kTransitSign,
  kTransitVerify,
  kTransitRewrap,
};

/// Operations whose refusals mean the same.
enum class OperationFamily : std::uint8_t { kHealth, kLogin, kToken, kKv, kLease, kEngine };

struct OperationRow {
  Operation operation;
  std::string_view label;
  OperationFamily family;
};

inline constexpr std::array kOperations = {
    OperationRow{Operation::kHealth, "health", OperationFamily::kHealth},
    OperationRow{Operation::kLogin, "login", OperationFamily::kLogin},
    OperationRow{Operation::kUnwrap, "unwrap", OperationFamily::kLogin},
    OperationRow{Operation::kTokenLookup, "token_lookup", OperationFamily::kToken},
    OperationRow{Operation::kTokenRenew, "token_renew", OperationFamily::kToken},
    OperationRow{Operation::kTokenRevoke, "token_revoke", OperationFamily::kToken},
    OperationRow{Operation::kMountRead, "mount_read", OperationFamily::kEngine},
    OperationRow{Operation::kKvRead, "kv_read", OperationFamily::kKv},
    OperationRow{Operation::kKvMetadata, "kv_metadata", OperationFamily::kKv},
    OperationRow{Operation::kKvWrite, "kv_write", OperationFamily::kKv},
    OperationRow{Operation::kKvDelete, "kv_delete", OperationFamily::kKv},
    OperationRow{Operation::kLeaseLookup, "lease_lookup", OperationFamily::kLease},
    OperationRow{Operation::kLeaseRenew, "lease_renew", OperationFamily::kLease},
    OperationRow{Operation::kLeaseRevoke, "lease_revoke", OperationFamily::kLease},
    OperationRow{Operation::kDatabaseCredentials, "database_credentials", OperationFamily::kEngine},
    OperationRow{Operation::kDatabaseRotate, "database_rotate", OperationFamily::kEngine},
    OperationRow{Operation::kPkiIssue, "pki_issue", OperationFamily::kEngine},
    OperationRow{Operation::kPkiRevoke, "pki_revoke", OperationFamily::kEngine},
    OperationRow{Operation::kPkiAuthority, "pki_authority", OperationFamily::kEngine},
    OperationRow{Operation::kTransitKey, "transit_key", OperationFamily::kEngine},
    OperationRow{Operation::kTransitRotate, "transit_rotate", OperationFamily::kEngine},
    OperationRow{Operation::kTransitSign, "transit_sign", OperationFamily::kEngine},
    OperationRow{Operation::kTransitVerify, "transit_verify", OperationFamily::kEngine},
    OperationRow{Operation::kTransitRewrap, "transit_rewrap", OperationFamily::kEngine},
};

[[nodiscard]] constexpr const OperationRow& RowOf(Operation operation) {
  return kOperations[static_cast<std::size_t>(operation)];
}

}  // namespace tracekeeper::vault
