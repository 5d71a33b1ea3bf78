#pragma once
// CEL rules for names inside Vault: roles, mounts of engines, paths, and names in certificates.
// What they take, src/vault/path.h takes too.

#include <array>

#include "src/codec/fields.h"

namespace tracekeeper::api {

inline constexpr std::array kVaultRoleRules = {codec::Rule{
    .expression = "self.matches('^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$')",
    .message_expression =
        "'role \"' + self + '\" must be letters, digits, - _ and .: write the name of the role "
        "alone, without its path'"}};

/// Where an engine is mounted.
inline constexpr std::array kEngineMountRules = {codec::Rule{
    .expression = "self.matches('^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$')",
    .message_expression =
        "'mount \"' + self + '\" must be names of letters, digits, - _ and . with / between them, "
        "none at the ends: write secret or team/secret'"}};

/// The path of a secret, or the name of a key, below its mount.
inline constexpr std::array kVaultPathRules = {
    codec::Rule{.expression = "!self.startsWith('/')",
                .message_expression =
                    "'path \"' + self + '\" is written without a leading /: write "
                    "' + (self.size() > 1 ? self.substring(1) : 'shop/checkout')"},
    codec::Rule{.expression = "!self.startsWith('data/')",
                .message_expression =
                    "'path \"' + self + '\" is written without data/, which is added where it must "
                    "stand: write ' + (self.size() > 5 ? self.substring(5) : 'shop/checkout')"},
    codec::Rule{.expression = "self.startsWith('/') || self.startsWith('data/') || "
                              "(self.matches('^[A-Za-z0-9_.@~+=:-]+(/[A-Za-z0-9_.@~+=:-]+)*$') && "
                              "!self.matches('(^|/)[.][.]?(/|$)'))",
                .message_expression =
                    "'path \"' + self + '\" must be names of letters, digits and - _ . @ ~ + = : "
                    "with / between them, none of them . or ..: write shop/checkout'"},
};

/// A name that a certificate is for.
inline constexpr std::array kCertificateNameRules = {
    codec::Rule{.expression = "self.matches('^([*][.])?[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?"
                              "([.][A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?)*$')",
                .message_expression =
                    "'name \"' + self + '\" must be a DNS name, with at most a * as its first "
                    "part: write checkout.shop.svc'"}};

}  // namespace tracekeeper::api
