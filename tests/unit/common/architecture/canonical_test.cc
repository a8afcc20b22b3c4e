#include "common/architecture/canonical.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/architecture/builder.h"
#include "common/architecture/graph.h"
#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_architecture.h"
#include "tests/support/status_matchers.h"

namespace frontier {
namespace {

using ::frontier::testing::OperatorSet;
using ::frontier::testing::Padded;
using ::frontier::testing::RandomArchitecture;
using ::frontier::testing::Renumbered;
using ::frontier::testing::StatusIs;

constexpr uint64_t kSeed = 20240607;

v1::Shape MakeShape(int channels, int height, int width) {
  v1::Shape shape;
  shape.set_channels(channels);
  shape.set_height(height);
  shape.set_width(width);
  return shape;
}

std::string Hash(const v1::Architecture& architecture) {
  absl::StatusOr<std::string> hash = CanonicalHash(architecture);
  EXPECT_OK(hash);
  return hash.value_or("");
}

TEST(CanonicalHashTest, WritingAGraphDifferentlyKeepsItsHash) {
  std::cout << "seed " << kSeed << "\n";
  Rng rng(kSeed);
  for (int i = 0; i < 300; ++i) {
    const v1::Architecture a = RandomArchitecture(2 + rng.Uniform(40), &rng);
    const std::string hash = Hash(a);
    EXPECT_EQ(hash, Hash(Renumbered(a, &rng))) << i;
    EXPECT_EQ(hash, Hash(Padded(a, &rng))) << i;
    EXPECT_EQ(hash, Hash(Renumbered(Padded(Padded(a, &rng), &rng), &rng))) << i;
  }
}

TEST(CanonicalHashTest, ChangingAnyAttributeChangesTheHash) {
  ArchitectureBuilder b(MakeShape(4, 16, 16), 3);
  v1::Convolution conv = SquareConvolution(8, 3);
  conv.set_padding_height(3);
  conv.set_padding_width(3);
  int x = b.Convolution("conv", b.input(), conv);
  v1::Pool pool = SquarePool(3, 1);
  x = b.MaxPool("max", x, pool);
  x = b.AveragePool("average", x, pool);
  b.Linear("linear", x, 3, false);
  ASSERT_OK_AND_ASSIGN(const v1::Architecture base, b.Build());
  std::map<std::string, std::string> seen = {{Hash(base), "base"}};
  const auto expect_new = [&](const v1::Architecture& architecture, const std::string& what) {
    if (!AnalyzeGraph(architecture).ok()) return;
    const auto [it, fresh] = seen.emplace(Hash(architecture), what);
    EXPECT_TRUE(fresh) << what << " equals " << it->second;
  };
  int fields = 0;
  for (int n = 0; n < base.nodes_size(); ++n) {
    const google::protobuf::Reflection* node_reflection = base.nodes(n).GetReflection();
    for (const char* name : {"convolution", "pool", "linear"}) {
      const auto* attribute = v1::Node::descriptor()->FindFieldByName(name);
      if (!node_reflection->HasField(base.nodes(n), attribute)) continue;
      for (int f = 0; f < attribute->message_type()->field_count(); ++f) {
        const auto* field = attribute->message_type()->field(f);
        for (int value : {2, 4}) {
          v1::Architecture changed = base;
          google::protobuf::Message* message =
              node_reflection->MutableMessage(changed.mutable_nodes(n), attribute);
          if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_BOOL) {
            if (value == 4) continue;
            message->GetReflection()->SetBool(message, field, true);
          } else {
            message->GetReflection()->SetInt32(message, field, value);
          }
          expect_new(changed, absl::StrCat("node ", n, " ", std::string(field->name()), value));
          ++fields;
        }
      }
    }
  }
  EXPECT_EQ(fields, 10 * 2 + 1 + 2 * 6 * 2 + 2 + 1);
  v1::Architecture changed = base;
  changed.mutable_nodes(3)->set_op(v1::OPERATOR_MAX_POOL);
  expect_new(changed, "operator");
  changed = base;
  changed.mutable_input()->set_width(17);
  expect_new(changed, "input width");
  changed = base;
  changed.mutable_input()->set_height(17);
  expect_new(changed, "input height");
  EXPECT_GT(seen.size(), 20u);
}

TEST(CanonicalHashTest, MovingAnyEdgeChangesTheHash) {
  ArchitectureBuilder b(MakeShape(4, 16, 16), 3);
  std::vector<int> layers = {b.input()};
  // Kernels differ, so every node can be told from every other.
  for (int kernel : {1, 3, 5, 7, 9, 11}) {
    layers.push_back(b.Convolution("", layers.back(), SquareConvolution(4, kernel)));
  }
  const int sum = b.Add("", {layers[2], layers[4], layers[6]});
  b.Classifier(b.Concat("", {sum, layers[5]}));
  ASSERT_OK_AND_ASSIGN(const v1::Architecture base, b.Build());
  const std::string hash = Hash(base);
  int moved = 0;
  for (int n = 0; n < base.nodes_size(); ++n) {
    for (int k = 0; k < base.nodes(n).inputs_size(); ++k) {
      for (int source = 0; source < n; ++source) {
        if (source == base.nodes(n).inputs(k)) continue;
        v1::Architecture changed = base;
        changed.mutable_nodes(n)->set_inputs(k, source);
        if (!AnalyzeGraph(changed).ok()) continue;
        ++moved;
        EXPECT_NE(hash, Hash(changed)) << "node " << n << " input " << k << " from " << source;
      }
    }
  }
  EXPECT_GT(moved, 30);
}

TEST(CanonicalHashTest, OrderMattersForConcatOnly) {
  const auto join = [](bool concat, bool swap) {
    ArchitectureBuilder b(MakeShape(4, 8, 8), 3);
    const int p = b.Convolution("p", b.input(), SquareConvolution(4, 3));
    const int q = b.Convolution("q", b.input(), SquareConvolution(4, 1));
    const std::vector<int> inputs = swap ? std::vector<int>{q, p} : std::vector<int>{p, q};
    b.Classifier(concat ? b.Concat("join", inputs) : b.Add("join", inputs));
    return Hash(b.Build().value());
  };
  EXPECT_EQ(join(false, false), join(false, true));
  EXPECT_NE(join(true, false), join(true, true));
  EXPECT_NE(join(true, false), join(false, false));
}

TEST(CanonicalHashTest, OneLayerTwiceIsNotTwoLayers) {
  ArchitectureBuilder once(MakeShape(4, 8, 8), 3);
  const int x = once.Convolution("x", once.input(), SquareConvolution(4, 3));
  once.Classifier(once.Add("add", {x, x}));
  ArchitectureBuilder twice(MakeShape(4, 8, 8), 3);
  const int p = twice.Convolution("p", twice.input(), SquareConvolution(4, 3));
  const int q = twice.Convolution("q", twice.input(), SquareConvolution(4, 3));
  twice.Classifier(twice.Add("add", {p, q}));
  EXPECT_NE(Hash(once.Build().value()), Hash(twice.Build().value()));
}

// Convolutions and additions on random earlier nodes, then a linear layer.
v1::Architecture SmallGraph(int nodes, Rng* rng) {
  ArchitectureBuilder b(MakeShape(2, 4, 4), 2);
  std::vector<int> all = {b.input()};
  std::vector<bool> used(1, true);
  for (int i = 0; i < nodes; ++i) {
    const int p = all[rng->Uniform(all.size())];
    const int q = all[rng->Uniform(all.size())];
    int node = 0;
    if (rng->Uniform(2) == 0) {
      node = b.Convolution("", p, SquareConvolution(2, 1));
      used[p] = true;
    } else {
      node = b.Add("", {p, q});
      used[p] = used[q] = true;
    }
    all.push_back(node);
    used.push_back(false);
  }
  // All loose ends meet, so that every node counts.
  std::vector<int> ends;
  for (int node : all) {
    if (!used[node]) ends.push_back(node);
  }
  b.Linear("", ends.size() > 1 ? b.Add("", ends) : ends[0], 2);
  return b.Build().value();
}

// Tries every permutation of the inner nodes.
bool Isomorphic(const v1::Architecture& a, const v1::Architecture& b) {
  const int count = a.nodes_size();
  if (b.nodes_size() != count) return false;
  const auto form = [](const v1::Architecture& x, const std::vector<int>& place) {
    std::vector<std::vector<int>> rows(x.nodes_size());
    for (int i = 0; i < x.nodes_size(); ++i) {
      std::vector<int>& row = rows[place[i]];
      for (int input : x.nodes(i).inputs()) row.push_back(place[input]);
      std::sort(row.begin(), row.end());
      row.push_back(-x.nodes(i).op());
    }
    return rows;
  };
  std::vector<int> identity(count);
  std::iota(identity.begin(), identity.end(), 0);
  const auto target = form(a, identity);
  std::vector<int> place = identity;
  do {
    if (form(b, place) == target) return true;
  } while (std::next_permutation(place.begin() + 1, place.end() - 1));
  return false;
}

TEST(CanonicalHashTest, EqualExactlyIfIsomorphic) {
  std::cout << "seed " << kSeed + 1 << "\n";
  Rng rng(kSeed + 1);
  std::vector<v1::Architecture> graphs;
  std::vector<std::string> hashes;
  for (int i = 0; i < 60; ++i) {
    graphs.push_back(SmallGraph(4, &rng));
    hashes.push_back(Hash(graphs.back()));
  }
  int equal = 0;
  for (size_t i = 0; i < graphs.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const bool isomorphic = Isomorphic(graphs[i], graphs[j]);
      equal += isomorphic;
      ASSERT_EQ(hashes[i] == hashes[j], isomorphic)
          << graphs[i].DebugString() << graphs[j].DebugString();
    }
  }
  EXPECT_GT(equal, 5);
}

// `stages` stages of `branches` equal branches of two layers each, added.
v1::Architecture Branches(int stages, int branches) {
  ArchitectureBuilder b(MakeShape(2, 4, 4), 2);
  int x = b.input();
  for (int s = 0; s < stages; ++s) {
    std::vector<int> ends;
    for (int i = 0; i < branches; ++i) {
      ends.push_back(b.Relu("", b.Convolution("", x, SquareConvolution(2, 1))));
    }
    x = b.Add("", ends);
  }
  b.Classifier(x);
  return b.Build().value();
}

TEST(CanonicalHashTest, EqualBranchesAreNoTrouble) {
  Rng rng(kSeed + 2);
  for (const auto& [stages, branches] : {std::pair{1, 2}, {1, 60}, {20, 2}, {8, 5}}) {
    const v1::Architecture a = Branches(stages, branches);
    const std::string hash = Hash(a);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(hash, Hash(Renumbered(a, &rng)));
    EXPECT_NE(hash, Hash(Branches(stages, branches + 1)));
  }
}

// Convolutions that each read one input, in pairs joined by additions after the edges of a graph:
// colour refinement alone cannot tell two triangles from a hexagon.
v1::Architecture EdgeGraph(const std::vector<std::pair<int, int>>& edges, int vertices) {
  ArchitectureBuilder b(MakeShape(2, 4, 4), 2);
  std::vector<int> vertex;
  for (int i = 0; i < vertices; ++i) {
    vertex.push_back(b.Convolution("", b.input(), SquareConvolution(2, 1)));
  }
  std::vector<int> ends;
  for (const auto& [p, q] : edges) {
    ends.push_back(b.Relu("", b.Add("", {vertex[p], vertex[q]})));
  }
  b.Classifier(b.Add("", ends));
  return b.Build().value();
}

TEST(CanonicalHashTest, TellsRegularGraphsApart) {
  Rng rng(kSeed + 3);
  const v1::Architecture triangles = EdgeGraph({{0, 1}, {1, 2}, {2, 0}, {3, 4}, {4, 5}, {5, 3}}, 6);
  const v1::Architecture hexagon = EdgeGraph({{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 0}}, 6);
  EXPECT_NE(Hash(triangles), Hash(hexagon));
  // Cycles of 3 and 5 against one of 8: here ties are not symmetries.
  const v1::Architecture mixed =
      EdgeGraph({{0, 1}, {1, 2}, {2, 0}, {3, 4}, {4, 5}, {5, 6}, {6, 7}, {7, 3}}, 8);
  const v1::Architecture octagon =
      EdgeGraph({{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 6}, {6, 7}, {7, 0}}, 8);
  EXPECT_NE(Hash(mixed), Hash(octagon));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Hash(triangles), Hash(Renumbered(triangles, &rng)));
    EXPECT_EQ(Hash(hexagon), Hash(Renumbered(hexagon, &rng)));
    EXPECT_EQ(Hash(mixed), Hash(Renumbered(mixed, &rng)));
    EXPECT_EQ(Hash(octagon), Hash(Renumbered(octagon, &rng)));
  }
}

TEST(CanonicalHashTest, WritingAnyOperatorDifferentlyKeepsTheHash) {
  std::cout << "seed " << kSeed + 4 << "\n";
  Rng rng(kSeed + 4);
  for (int i = 0; i < 200; ++i) {
    const v1::Architecture a = RandomArchitecture(2 + rng.Uniform(30), &rng, OperatorSet::kAll);
    const std::string hash = Hash(a);
    EXPECT_EQ(hash, Hash(Renumbered(a, &rng))) << i;
    EXPECT_EQ(hash, Hash(Renumbered(Padded(a, &rng), &rng))) << i;
  }
}

TEST(CanonicalHashTest, EachLayerWithoutWeightsHasAHashOfItsOwn) {
  using Layer = std::function<int(ArchitectureBuilder*, int)>;
  const std::map<std::string, Layer> layers = {
      {"nothing", [](auto*, int x) { return x; }},
      {"relu", [](auto* b, int x) { return b->Relu("", x); }},
      {"relu6", [](auto* b, int x) { return b->Relu6("", x); }},
      {"leaky 0", [](auto* b, int x) { return b->LeakyRelu("", x, 0.0f); }},
      {"leaky 0.1", [](auto* b, int x) { return b->LeakyRelu("", x, 0.1f); }},
      {"leaky 0.2", [](auto* b, int x) { return b->LeakyRelu("", x, 0.2f); }},
      {"sigmoid", [](auto* b, int x) { return b->Sigmoid("", x); }},
      {"silu", [](auto* b, int x) { return b->Silu("", x); }},
      {"hard swish", [](auto* b, int x) { return b->HardSwish("", x); }},
      {"hard sigmoid", [](auto* b, int x) { return b->HardSigmoid("", x); }},
      {"gelu", [](auto* b, int x) { return b->Gelu("", x); }},
      {"square", [](auto* b, int x) { return b->Multiply("", x, x); }},
      {"product", [](auto* b, int x) { return b->Multiply("", x, b->input()); }},
      {"gate", [](auto* b, int x) { return b->Multiply("", x, b->GlobalAveragePool("", x)); }},
      {"double",
       [](auto* b, int x) {
         return b->Add("", {x, x});
       }},
      {"shuffle 1", [](auto* b, int x) { return b->ChannelShuffle("", x, 1); }},
      {"shuffle 2", [](auto* b, int x) { return b->ChannelShuffle("", x, 2); }},
      {"slice 0 2", [](auto* b, int x) { return b->ChannelSlice("", x, 0, 2); }},
      {"slice 1 2", [](auto* b, int x) { return b->ChannelSlice("", x, 1, 2); }},
      {"slice 1 3", [](auto* b, int x) { return b->ChannelSlice("", x, 1, 3); }},
      {"dropout 0.1", [](auto* b, int x) { return b->Dropout("", x, 0.1f); }},
      {"dropout 0.2", [](auto* b, int x) { return b->Dropout("", x, 0.2f); }},
      {"zero", [](auto* b, int x) { return b->Zero("", x); }},
      {"zero product", [](auto* b, int x) { return b->Multiply("", x, b->Zero("", x)); }},
      {"zero concat",
       [](auto* b, int x) {
         return b->Concat("", {x, b->Zero("", x)});
       }},
  };
  std::map<std::string, std::string> seen;
  for (const auto& [name, add] : layers) {
    ArchitectureBuilder b(MakeShape(4, 8, 8), 3);
    const int x = b.Convolution("", b.input(), SquareConvolution(4, 3));
    b.Classifier(add(&b, x));
    ASSERT_OK_AND_ASSIGN(const v1::Architecture architecture, b.Build());
    const auto [it, fresh] = seen.emplace(Hash(architecture), name);
    EXPECT_TRUE(fresh) << name << " equals " << it->second;
  }
}

TEST(CanonicalHashTest, ZeroSummandsAreDropped) {
  // `tail` gets input, first and second convolution.
  const auto hash = [](const std::function<int(ArchitectureBuilder*, int, int)>& tail) {
    ArchitectureBuilder b(MakeShape(4, 8, 8), 3);
    const int p = b.Convolution("p", b.input(), SquareConvolution(4, 3));
    const int q = b.Convolution("q", p, SquareConvolution(4, 1));
    b.Classifier(tail(&b, p, q));
    return Hash(b.Build().value());
  };
  const std::string sum = hash([](auto* b, int p, int q) { return b->Add("", {p, q}); });
  EXPECT_EQ(sum, hash([](auto* b, int p, int q) { return b->Add("", {p, b->Zero("", q), q}); }));
  EXPECT_EQ(sum, hash([](auto* b, int p, int q) {
              return b->Add("", {b->Identity("", b->Zero("", p)), q, p});
            }));
  const std::string alone = hash([](auto*, int, int q) { return q; });
  EXPECT_EQ(alone, hash([](auto* b, int p, int q) { return b->Add("", {q, b->Zero("", p)}); }));
  EXPECT_EQ(alone, hash([](auto* b, int p, int q) {
              const int nothing = b->Add("", {b->Zero("", p), b->Zero("", q)});
              return b->Dropout("", b->Add("", {nothing, q}), 0.0f);
            }));
  // What a zero is made from does not matter, only its shape.
  const std::string zero = hash([](auto* b, int, int q) { return b->Zero("", q); });
  EXPECT_EQ(zero, hash([](auto* b, int p, int) { return b->Zero("", p); }));
  EXPECT_EQ(zero, hash([](auto* b, int p, int q) {
              return b->Add("", {b->Zero("", q), b->Zero("", p)});
            }));
  EXPECT_NE(zero, hash([](auto* b, int p, int) {
              return b->Zero("", b->MaxPool("", p, SquarePool(3, 2)));
            }));
}

TEST(CanonicalHashTest, WorkIsBounded) {
  EXPECT_THAT(CanonicalHash(Branches(1, 4000)),
              StatusIs(absl::StatusCode::kResourceExhausted, ::testing::HasSubstr("8004 nodes")));
}

TEST(CanonicalHashTest, InvalidGraphsAreRefused) {
  v1::Architecture a = Branches(1, 2);
  a.mutable_nodes(1)->set_inputs(0, 5);
  EXPECT_THAT(CanonicalHash(a), StatusIs(absl::StatusCode::kInvalidArgument,
                                         ::testing::StartsWith("nodes[1].inputs[0]")));
}

TEST(CanonicalHashTest, FormIsStable) {
  // Stored in databases: a change of this value needs a new version of the form and a migration.
  EXPECT_EQ(Hash(Branches(1, 2)),
            "956f2022c60b29c8f83ca71dd5c128f160385675046058f175e8da1a841ed1dd");
}

}  // namespace
}  // namespace frontier
