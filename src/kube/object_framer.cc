#include "src/kube/object_framer.h"

#include <fmt/core.h>

#include <array>
#include <cstdint>
#include <span>

namespace tracekeeper::kube {
namespace {

constexpr std::string_view kEventPath[] = {"object", "metadata", "managedFields"};
constexpr std::string_view kItemPath[] = {"metadata", "managedFields"};
constexpr std::size_t kKeptCapacity = 1U << 20U;

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

bool IsMark(char c) {
  return c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':' || c == '"';
}

enum class Mark : std::uint8_t { kPlain, kOpen, kClose, kQuote };

constexpr std::array<Mark, 256> kMarks = [] {
  std::array<Mark, 256> marks{};
  marks['{'] = marks['['] = Mark::kOpen;
  marks['}'] = marks[']'] = Mark::kClose;
  marks['"'] = Mark::kQuote;
  return marks;
}();

/// Whether the next byte is escaped: an odd number of backslashes stands at the end.
bool EndsInEscape(std::string_view text) {
  const std::size_t last = text.find_last_not_of('\\');
  const std::size_t backslashes =
      last == std::string_view::npos ? text.size() : text.size() - last - 1;
  return backslashes % 2 == 1;
}

tl::unexpected<Error> NotOurs() {
  return Fail(ErrorKind::kDecode, "the answer is not the JSON of a list or watch");
}

std::span<const std::string_view> PathOf(ObjectFramer::Shape shape) {
  if (shape == ObjectFramer::Shape::kSequence) return kEventPath;
  return kItemPath;
}

}  // namespace

ObjectFramer::ObjectFramer(Shape shape, std::size_t max_frame_bytes, Sink& sink)
    : shape_(shape), max_frame_bytes_(max_frame_bytes), sink_(sink) {}

Status ObjectFramer::Feed(std::string_view bytes) {
  chunk_ = bytes;
  index_ = 0;
  run_ = 0;
  while (index_ < chunk_.size()) TRY(Step());
  return Flush();
}

Status ObjectFramer::Finish() const {
  if (shape_ == Shape::kItems && !is_done_) {
    return Fail(ErrorKind::kDecode, "the list ended in the middle");
  }
  return {};
}

Status ObjectFramer::Step() {
  if (in_string_) {
    StepInString();
    return {};
  }
  if (depth_ > QuietDepth()) {
    SkipQuiet();
    if (index_ == chunk_.size()) return {};
  }
  return StepOutside();
}

std::size_t ObjectFramer::QuietDepth() const {
  if (leave_out_ == LeaveOut::kContainer) return leave_out_depth_ + 1;
  if (in_frame_) return FrameDepth() + path_depth_ + 1;
  return in_items_ ? 2 : 1;
}

void ObjectFramer::SkipQuiet() {
  // Nine of ten bytes pass here, so the loop has its state in registers.
  const std::size_t floor = QuietDepth() + 1;
  const char* at = chunk_.data() + index_;
  const char* const end = chunk_.data() + chunk_.size();
  std::size_t depth = depth_;
  while (at != end) {
    const auto mark = kMarks[static_cast<unsigned char>(*at)];
    if (mark == Mark::kClose && depth == floor) break;
    ++at;
    if (mark == Mark::kPlain) continue;
    if (mark == Mark::kOpen) {
      ++depth;
    } else if (mark == Mark::kClose) {
      --depth;
    } else {
      while (at != end && *at != '"') at += *at == '\\' && at + 1 != end ? 2 : 1;
      const bool is_cut = at == end;
      if (is_cut) {
        in_string_ = true;
        is_key_ = false;
        is_escaped_ = EndsInEscape(chunk_);
      } else {
        ++at;
      }
    }
  }
  depth_ = depth;
  index_ = static_cast<std::size_t>(at - chunk_.data());
}

void ObjectFramer::StepInString() {
  if (is_escaped_) {
    is_escaped_ = false;
    ++index_;
    return;
  }
  while (index_ < chunk_.size() && chunk_[index_] != '"' && chunk_[index_] != '\\') ++index_;
  if (index_ == chunk_.size()) return;
  const char c = chunk_[index_];
  if (c == '\\') {
    is_escaped_ = true;
    ++index_;
    return;
  }
  in_string_ = false;
  if (is_key_) EndKey();
  ++index_;
  if (leave_out_ == LeaveOut::kString) EndLeftOut();
}

Status ObjectFramer::StepOutside() {
  const char c = chunk_[index_];
  if (!IsMark(c)) return SkipPlain();
  if ((depth_ == 0 && (c != '{' || is_done_)) || (c == '"' && in_items_ && !in_frame_)) {
    return NotOurs();
  }
  if (leave_out_ == LeaveOut::kPlain && c != '"' && c != ':') EndLeftOut();
  if (is_wanted_ && c != ':') BeginWantedValue(c);
  switch (c) {
    case '"':
      BeginString();
      break;
    case '{':
    case '[':
      TRY(Open());
      break;
    case '}':
    case ']':
      return Close();
    case ',':
      Comma();
      break;
    default:
      last_mark_ = c;
      break;
  }
  ++index_;
  return {};
}

Status ObjectFramer::SkipPlain() {
  const std::size_t start = index_;
  bool is_blank = true;
  while (index_ < chunk_.size() && !IsMark(chunk_[index_])) {
    is_blank = is_blank && IsSpace(chunk_[index_]);
    ++index_;
  }
  if (is_blank) return {};
  if (depth_ == 0 || (in_items_ && !in_frame_)) {
    return NotOurs();
  }
  if (is_wanted_) {
    const std::size_t end = index_;
    index_ = start;
    BeginWantedValue(chunk_[start]);
    index_ = end;
  }
  return {};
}

Status ObjectFramer::Open() {
  const bool begins_frame = shape_ == Shape::kSequence ? depth_ == 0 : in_items_ && depth_ == 2;
  if (begins_frame && !in_frame_) {
    if (chunk_[index_] != '{') {
      return Fail(ErrorKind::kDecode, "an item of the list is no object");
    }
    // What lies between frames, commas and blanks, belongs nowhere.
    run_ = index_;
    in_frame_ = true;
    is_oversize_ = false;
    frame_bytes_ = 0;
    path_depth_ = 0;
  }
  last_mark_ = chunk_[index_];
  ++depth_;
  return {};
}

Status ObjectFramer::Close() {
  last_mark_ = chunk_[index_];
  drops_comma_ = false;
  --depth_;
  if (leave_out_ == LeaveOut::kContainer && depth_ == leave_out_depth_) {
    ++index_;
    EndLeftOut();
    return {};
  }
  if (in_frame_) {
    if (path_depth_ > 0 && depth_ == FrameDepth() + path_depth_) --path_depth_;
    ++index_;
    if (depth_ == FrameDepth()) return EndFrame();
    return {};
  }
  if (in_items_ && depth_ == 1) {
    in_items_ = false;
    run_ = index_;
  }
  ++index_;
  if (depth_ == 0) is_done_ = true;
  return {};
}

Status ObjectFramer::EndFrame() {
  TRY(Flush());
  in_frame_ = false;
  leave_out_ = LeaveOut::kNothing;
  const Status taken = is_oversize_ ? sink_.OnOversizeFrame(frame_bytes_) : sink_.OnFrame(frame_);
  if (frame_.capacity() > kKeptCapacity) {
    frame_ = std::string();
  } else {
    frame_.clear();
  }
  return taken;
}

void ObjectFramer::BeginString() {
  in_string_ = true;
  is_key_ = false;
  if (leave_out_ != LeaveOut::kNothing || !IsOnPath()) return;
  if (last_mark_ != '{' && last_mark_ != ',') return;
  is_key_ = true;
  key_position_ = Position() + 1;
  is_first_member_ = last_mark_ == '{';
  member_position_ = is_first_member_ ? Position() : comma_position_;
}

void ObjectFramer::EndKey() {
  is_key_ = false;
  const std::size_t end = Position();
  // In a frame that is too large nothing is kept, so there is nothing to leave out.
  if (!Flush() || is_oversize_) return;
  is_wanted_ = std::string_view(target()).substr(key_position_, end - key_position_) == NextStep();
}

void ObjectFramer::BeginWantedValue(char first) {
  is_wanted_ = false;
  if (!in_frame_) {
    in_items_ = first == '[';
    if (in_items_) {
      // The bracket is the last byte that the envelope gets until the items' end.
      envelope_.append(chunk_.substr(run_, index_ + 1 - run_));
      run_ = index_ + 1;
    }
    return;
  }
  if (path_depth_ + 1 < PathOf(shape_).size()) {
    if (first == '{') ++path_depth_;
    return;
  }
  if (!Flush() || is_oversize_) return;
  frame_.resize(member_position_);
  leave_out_depth_ = depth_;
  leave_out_ = first == '"'                   ? LeaveOut::kString
               : first == '{' || first == '[' ? LeaveOut::kContainer
                                              : LeaveOut::kPlain;
}

void ObjectFramer::EndLeftOut() {
  leave_out_ = LeaveOut::kNothing;
  run_ = index_;
  // The comma that follows goes with the member when no other member stands before it.
  drops_comma_ = is_first_member_;
}

void ObjectFramer::Comma() {
  if (leave_out_ != LeaveOut::kNothing) return;
  if (drops_comma_) {
    drops_comma_ = false;
    // The comma alone: what else stands before it is for the parser to judge.
    if (!Flush()) return;
    run_ = index_ + 1;
    last_mark_ = '{';
    return;
  }
  last_mark_ = ',';
  if (in_frame_ && IsOnPath()) comma_position_ = Position();
}

Status ObjectFramer::Flush() {
  const std::string_view run = chunk_.substr(run_, index_ - run_);
  run_ = index_;
  if (leave_out_ != LeaveOut::kNothing) return {};
  if (in_frame_) {
    frame_bytes_ += run.size();
    is_oversize_ = is_oversize_ || frame_.size() + run.size() > max_frame_bytes_;
    if (is_oversize_) {
      frame_.clear();
    } else {
      frame_.append(run);
    }
    return {};
  }
  if (shape_ == Shape::kSequence || in_items_) return {};
  if (envelope_.size() + run.size() > kEnvelopeBytes) {
    return Fail(ErrorKind::kDecode, "the list has more than {} bytes beside its items",
                kEnvelopeBytes);
  }
  envelope_.append(run);
  return {};
}

std::size_t ObjectFramer::Position() { return target().size() + (index_ - run_); }

std::size_t ObjectFramer::FrameDepth() const { return shape_ == Shape::kSequence ? 0 : 2; }

bool ObjectFramer::IsOnPath() const {
  if (in_frame_) return depth_ == FrameDepth() + path_depth_ + 1;
  return shape_ == Shape::kItems && depth_ == 1 && !in_items_;
}

std::string_view ObjectFramer::NextStep() const {
  return in_frame_ ? PathOf(shape_)[path_depth_] : std::string_view("items");
}

}  // namespace tracekeeper::kube
