#include "src/otlp/request.h"

#include <utility>

#include "src/otlp/request_walk.h"

namespace tracekeeper::otlp {
namespace {

constexpr std::uint32_t kTracestateField = 3;

Status Nothing(std::string_view) { return {}; }

/// The same span with another tracestate; fields have no order in protobuf.
std::string WithTracestate(std::string_view span, std::string_view tracestate) {
  std::string body = FieldsBut(kTracestateField, span);
  codec::WireWriter(body).Bytes(kTracestateField, tracestate);
  return body;
}

tl::unexpected<Error> Describe(Error error, Signal signal) {
  return Fail(std::move(error).Within(fmt::format("these bytes are no OTLP {}", NameOf(signal))));
}

}  // namespace

Result<std::size_t> CountItems(Signal signal, std::string_view request) {
  std::size_t count = 0;
  const Status walked =
      WalkRequest(request, Nothing, Nothing, [&](const codec::WireReader& item) -> Status {
        count += TRY(CountOf(signal, item.bytes()));
        return {};
      });
  if (!walked) return Describe(walked.error(), signal);
  return count;
}

Status ForEachItem(Signal signal, std::string_view request,
                   const std::function<void(const ItemFields&)>& visit) {
  return WalkRequest(request, Nothing, Nothing, [&](const codec::WireReader& item) -> Status {
    visit(TRY(ReadItem(signal, item.bytes())));
    return {};
  });
}

Result<FilteredRequest> FilterRequest(Signal signal, std::string_view request,
                                      const ItemJudge& judge) {
  FilteredRequest result;
  RequestBuilder builder;
  bool changed = false;
  const auto enter_resource = [&](std::string_view body) -> Status {
    builder.EnterResource(body);
    return {};
  };
  const auto enter_scope = [&](std::string_view body) -> Status {
    builder.EnterScope(body);
    return {};
  };
  const Status walked = WalkRequest(
      request, enter_resource, enter_scope, [&](const codec::WireReader& item) -> Status {
        const ItemDecision decision = judge(TRY(ReadItem(signal, item.bytes())));
        const std::size_t count = TRY(CountOf(signal, item.bytes()));
        (decision.keep ? result.kept : result.dropped) += count;
        changed = changed || !decision.keep || decision.tracestate;
        if (!decision.keep) return {};
        if (decision.tracestate) {
          builder.AddItem(WithTracestate(item.bytes(), *decision.tracestate));
        } else {
          builder.AddField(item.raw());
        }
        return {};
      });
  if (!walked) return Describe(walked.error(), signal);
  if (changed) result.request = builder.Take();
  return result;
}

Result<std::vector<RequestPiece>> SplitRequest(Signal signal, std::string_view request,
                                               const RequestLimits& limits) {
  std::vector<RequestPiece> pieces;
  RequestBuilder builder;
  std::size_t items = 0;
  const auto end_piece = [&] {
    if (!builder.empty()) pieces.push_back({builder.Take(), std::exchange(items, 0)});
  };
  const auto enter_resource = [&](std::string_view body) -> Status {
    builder.EnterResource(body);
    return {};
  };
  const auto enter_scope = [&](std::string_view body) -> Status {
    builder.EnterScope(body);
    return {};
  };
  const Status walked = WalkRequest(
      request, enter_resource, enter_scope, [&](const codec::WireReader& item) -> Status {
        const std::size_t count = TRY(CountOf(signal, item.bytes()));
        if (items + count > limits.items || builder.SizeWith(item.raw().size()) > limits.bytes) {
          end_piece();
        }
        builder.AddField(item.raw());
        items += count;
        return {};
      });
  if (!walked) return Describe(walked.error(), signal);
  end_piece();
  return pieces;
}

}  // namespace tracekeeper::otlp
