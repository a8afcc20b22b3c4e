// Hostile requests of every type against the real service: a typed error or an answer, nothing
// stored by what is refused, no crash, no growth. Failures print the seed and the request.
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/file.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fuzz/service/world.h"
#include "tests/support/message_mutator.h"
#include "tests/support/status_matchers.h"

namespace frontier::coordinator {
namespace {

using ::frontier::testing::MutateMessage;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::MessageFactory;
using ::google::protobuf::MethodDescriptor;
using ::google::protobuf::Reflection;

constexpr uint64_t kFirstSeed = 700'000;

using Messages = std::vector<std::unique_ptr<Message>>;

Messages Copy(const Messages& messages) {
  Messages copy;
  for (const auto& message : messages) {
    copy.emplace_back(message->New());
    copy.back()->CopyFrom(*message);
  }
  return copy;
}

std::string Describe(const Messages& messages) {
  std::string text;
  for (const auto& message : messages) absl::StrAppend(&text, message->ShortDebugString(), "\n");
  return text.substr(0, 4000);
}

// A request of the corpus: a file METHOD.NAME.textproto of one message, or of several with lines of
// dashes between them for a stream. Those whose NAME begins with "refused" are.
struct Request {
  std::string name;
  bool is_refused = false;
  Messages messages;
};

std::vector<Request> Corpus(const MethodDescriptor& method) {
  std::vector<Request> corpus;
  const std::string prefix = absl::StrCat(method.name(), ".");
  for (const auto& entry : std::filesystem::directory_iterator(FRONTIER_CORPUS_DIR)) {
    Request request;
    request.name = entry.path().filename();
    if (request.name.rfind(prefix, 0) != 0) continue;
    request.is_refused = request.name.rfind(prefix + "refused", 0) == 0;
    const absl::StatusOr<std::string> text = ReadFile(entry.path());
    EXPECT_OK(text);
    for (const absl::string_view part : absl::StrSplit(*text, "\n---\n")) {
      request.messages.emplace_back(
          MessageFactory::generated_factory()->GetPrototype(method.input_type())->New());
      EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(std::string(part),
                                                                request.messages.back().get()))
          << request.name;
    }
    corpus.push_back(std::move(request));
  }
  std::sort(corpus.begin(), corpus.end(),
            [](const Request& a, const Request& b) { return a.name < b.name; });
  return corpus;
}

// Sends a request and checks what holds whatever it is. True if it was accepted.
bool Try(World* world, const MethodDescriptor& method, const Messages& request) {
  static const std::set<absl::StatusCode> kTyped = {
      absl::StatusCode::kInvalidArgument, absl::StatusCode::kNotFound,
      absl::StatusCode::kAlreadyExists, absl::StatusCode::kFailedPrecondition,
      absl::StatusCode::kAborted, absl::StatusCode::kResourceExhausted,
      // Of uploads that are not as announced.
      absl::StatusCode::kOutOfRange, absl::StatusCode::kDataLoss};
  // The coordinator's clock work may commit at any time, but not each time.
  constexpr int kTries = 5;
  for (int i = 1;; ++i) {
    const int64_t before = world->DataVersion();
    const absl::Status status = world->Call(method, request);
    if (status.ok()) return true;
    EXPECT_EQ(kTyped.count(status.code()), 1u) << method.name() << ": " << status << "\n"
                                               << Describe(request);
    if (absl::IsInvalidArgument(status)) {
      EXPECT_EQ(GetErrorReason(status), v1::ERROR_REASON_INVALID_FIELD)
          << method.name() << ": " << status << "\n"
          << Describe(request);
    }
    EXPECT_LT(status.message().size(), 5000u) << method.name();
    if (world->DataVersion() == before) return false;
    if (i < kTries) continue;
    ADD_FAILURE() << method.name() << " was refused, and something was stored: " << status << "\n"
                  << Describe(request);
    return false;
  }
}

// Calls `visit` with each field of `message` that is set, however deep, and with those of the
// message itself that are not.
void VisitFields(Message* message, bool top,
                 const std::function<void(Message*, const FieldDescriptor*, int)>& visit) {
  const Reflection* r = message->GetReflection();
  const auto* type = message->GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (field->is_repeated()) {
      for (int index = 0; index < r->FieldSize(*message, field); ++index) {
        if (is_message) {
          VisitFields(r->MutableRepeatedMessage(message, field, index), false, visit);
        } else {
          visit(message, field, index);
        }
      }
    } else if (is_message) {
      if (r->HasField(*message, field)) {
        VisitFields(r->MutableMessage(message, field), false, visit);
      }
    } else if (top || r->HasField(*message, field)) {
      visit(message, field, -1);
    }
  }
}

// Puts the `which`-th hostile value into a field; false if there are no more.
bool SetHostile(Message* message, const FieldDescriptor* field, int index, size_t which) {
  const Reflection* r = message->GetReflection();
  const auto put = [&](auto value, auto set, auto set_repeated) {
    if (index < 0) {
      (r->*set)(message, field, value);
    } else {
      (r->*set_repeated)(message, field, index, value);
    }
  };
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      constexpr int32_t kValues[] = {0, -1, 99, std::numeric_limits<int32_t>::max(),
                                     std::numeric_limits<int32_t>::min()};
      if (which >= std::size(kValues)) return false;
      put(kValues[which], &Reflection::SetInt32, &Reflection::SetRepeatedInt32);
      return true;
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      // Numbers of other jobs and tokens that were or will be given are among them.
      constexpr int64_t kValues[] = {0,
                                     -1,
                                     1,
                                     2,
                                     3,
                                     99,
                                     std::numeric_limits<int64_t>::max(),
                                     std::numeric_limits<int64_t>::min()};
      if (which >= std::size(kValues)) return false;
      put(kValues[which], &Reflection::SetInt64, &Reflection::SetRepeatedInt64);
      return true;
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      const double values[] = {0, -1, 1e308, std::numeric_limits<double>::infinity(),
                               std::numeric_limits<double>::quiet_NaN()};
      if (which >= std::size(values)) return false;
      put(values[which], &Reflection::SetDouble, &Reflection::SetRepeatedDouble);
      return true;
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string values[] = {"",
                                    std::string("a\0b\x01\x1b[2J", 9),
                                    std::string(300, 'x'),
                                    std::string(100'000, 'x'),
                                    "../../etc/passwd",
                                    "'); DROP TABLE jobs; --"};
      if (which >= std::size(values)) return false;
      if (index < 0) {
        r->SetString(message, field, values[which]);
      } else {
        r->SetRepeatedString(message, field, index, values[which]);
      }
      return true;
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      constexpr int kValues[] = {0, 99, -1};
      if (which >= std::size(kValues)) return false;
      put(kValues[which], &Reflection::SetEnumValue, &Reflection::SetRepeatedEnumValue);
      return true;
    }
    default:
      return false;
  }
}

// Resident memory of this process, which the coordinator is part of; MiB.
int64_t ResidentMib() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE) >> 20;
}

std::string NameOf(const ::testing::TestParamInfo<const MethodDescriptor*>& info) {
  return info.param->name();
}

class ServiceFuzzTest : public ::testing::TestWithParam<const MethodDescriptor*> {
 protected:
  ServiceFuzzTest() { Begin(); }
  void TearDown() override { End(); }

  // Another world, as it was at first.
  void Renew() {
    End();
    Begin();
  }
  // Tries a request; what is accepted may have used up what others are about.
  void TryAnew(const Messages& request) {
    static const std::set<std::string> kUsesUp = {"Report", "GiveBack", "DeleteJob", "CancelJob"};
    if (Try(world_.get(), *GetParam(), request) && kUsesUp.count(GetParam()->name()) > 0) Renew();
  }

  std::unique_ptr<World> world_;

 private:
  void Begin() {
    world_.reset();
    world_ = std::make_unique<World>();
    kept_ = world_->KeptResult();
  }
  // It is still there, and what was acknowledged is, too.
  void End() {
    EXPECT_OK(world_->jobs().GetServerInfo());
    const std::string now = world_->KeptResult();
    EXPECT_TRUE(now == kept_ || (now.empty() && GetParam()->name() == "DeleteJob"));
  }
  std::string kept_;
};
INSTANTIATE_TEST_SUITE_P(Methods, ServiceFuzzTest, ::testing::ValuesIn(AllMethods()), NameOf);

TEST_P(ServiceFuzzTest, TheCorpusIsAnswered) {
  const std::vector<Request> corpus = Corpus(*GetParam());
  ASSERT_FALSE(corpus.empty()) << "a request of each type belongs into the corpus";
  for (const Request& request : corpus) {
    EXPECT_NE(Try(world_.get(), *GetParam(), request.messages), request.is_refused) << request.name;
    Renew();
  }
}

TEST_P(ServiceFuzzTest, HostileValuesInEveryField) {
  for (const Request& request : Corpus(*GetParam())) {
    for (size_t m = 0; m < request.messages.size(); ++m) {
      int fields = 0;
      VisitFields(request.messages[m].get(), true,
                  [&](Message*, const FieldDescriptor*, int) { ++fields; });
      for (int chosen = 0; chosen < fields; ++chosen) {
        bool more = true;
        for (size_t which = 0; more; ++which) {
          const Messages hostile = Copy(request.messages);
          int at = 0;
          VisitFields(hostile[m].get(), true,
                      [&](Message* parent, const FieldDescriptor* field, int index) {
                        if (at++ == chosen) more = SetHostile(parent, field, index, which);
                      });
          if (more) TryAnew(hostile);
        }
      }
    }
    Renew();
  }
}

TEST_P(ServiceFuzzTest, DamagedRequests) {
  const char* wanted = std::getenv("FRONTIER_FUZZ_CALLS");
  uint64_t calls = 60;
  if (wanted != nullptr) {
    ASSERT_TRUE(absl::SimpleAtoi(wanted, &calls));
  }
  std::cout << "first seed " << kFirstSeed << "\n";
  const std::vector<Request> corpus = Corpus(*GetParam());
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + calls; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    const Messages damaged = Copy(corpus[rng.Uniform(corpus.size())].messages);
    for (uint64_t i = 1 + rng.Uniform(5); i > 0; --i) {
      MutateMessage(damaged[rng.Uniform(damaged.size())].get(), &rng);
    }
    TryAnew(damaged);
  }
}

TEST_P(ServiceFuzzTest, BytesThatAreNoMessage) {
  const int64_t before = world_->DataVersion();
  Rng rng(kFirstSeed);
  for (const size_t size : {1, 10, 1000, 100'000}) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(rng.Uniform(256));
    bytes[0] = '\x0a';  // a field of that many bytes, which are not there
    if (size > 1) bytes[1] = '\xff';
    EXPECT_FALSE(world_->CallBytes(*GetParam(), {bytes}).ok()) << size;
  }
  EXPECT_EQ(world_->DataVersion(), before);
}

TEST(ServiceMemoryTest, LargeRequestsAreRefusedAndLeaveNothing) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer keeps what is freed";
#endif
  World world;
  const int64_t before_version = world.DataVersion();
  int64_t before = 0;
  for (int round = 0; round < 6; ++round) {
    for (const MethodDescriptor* method : AllMethods()) {
      const Messages request = Copy(Corpus(*method).front().messages);
      bool set = false;
      VisitFields(request[0].get(), true, [&](Message* parent, const FieldDescriptor* field, int) {
        if (set || field->type() != FieldDescriptor::TYPE_STRING || field->is_repeated()) return;
        parent->GetReflection()->SetString(parent, field, std::string(10 << 20, 'x'));
        set = true;
      });
      if (set) {
        EXPECT_FALSE(Try(&world, *method, request)) << method->name();
      }
    }
    // What is in use from the first calls on is no growth.
    malloc_trim(0);
    if (round == 1) before = ResidentMib();
  }
  EXPECT_LT(ResidentMib() - before, 64);
  EXPECT_EQ(world.DataVersion(), before_version);
}

}  // namespace
}  // namespace frontier::coordinator
