/* Token passing, compiled: the same steps as `passing.py`, which says what they mean, with the same results to the bit.

   Plain C99 behind plain functions, so that one library serves every Python. Nothing of Python is touched, so callers
   let go of the interpreter's lock. Memory that is not to be had is an error, after which a search hears no more.
   The arrays of a graph are the caller's, checked by `hearth_graph_fits` and unchanged while a search lives. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS 40
#define BLANK 0
#define NO_STEP (-1)
#define LOWEST (-1e300)
#define BASE UINT64_C(0x9E3779B97F4A7C15)
#define NODE UINT64_C(0xD1342543DE82EF95)

/* Laid out as in `compiled.py`. */
typedef struct {
  int64_t nodes, arcs, words, root;
  const int32_t *phone, *arc_start, *arc_node, *arc_phone, *arc_word;
} graph;

typedef struct {
  double phone_bonus, beam, phone_beam;
  int64_t max_active, per_node;
} limits;

typedef struct {
  uint64_t key, words;
  double said, silent;
  int32_t node, step_said, step_silent, unused;
} token;

typedef struct {
  double score;
  int32_t before, node, word, frame;
} step;

/* A token that may enter a node; `left` is its score before the node's phone. */
typedef struct {
  uint64_t key;
  double score, left;
  int32_t from, arc;
} entry;

typedef struct {
  uint64_t key;
  int64_t index;
} ordered;

typedef struct {
  void *at;
  int64_t used, room;
} list;

typedef struct {
  graph graph;
  limits limits;
  double *bonus, most_bonus;
  int failed; /* for want of memory, in the middle of a frame */
  list tokens, steps;                                        /* what was heard */
  list stayed, best, entries, came, order, spare, table, next; /* of one frame */
} search;

#define TOKENS(l) ((token *)(l).at)
#define ENTRIES(l) ((entry *)(l).at)
#define ORDERED(l) ((ordered *)(l).at)
#define NUMBERS(l) ((int32_t *)(l).at)
#define SCORES(l) ((double *)(l).at)

static int room(list *of, int64_t count, size_t size) {
  if (count <= of->room) return 1;
  if (count > INT32_MAX) return 0;
  int64_t wanted = of->room * 2 > count ? of->room * 2 : count;
  if (wanted < 64) wanted = 64;
  if ((uint64_t)wanted > SIZE_MAX / size) return 0;
  void *at = realloc(of->at, (size_t)wanted * size);
  if (!at) return 0;
  of->at = at;
  of->room = wanted;
  return 1;
}

static inline double larger(double a, double b) { return a > b ? a : b; }

static inline double best_of(const token *of) { return larger(of->said, of->silent); }

/* Numbers in the order of scores, the best one lowest. */
static inline uint64_t falling(double score) {
  uint64_t bits;
  score += 0.0; /* so that -0.0 is 0.0 */
  memcpy(&bits, &score, sizeof bits);
  return bits >> 63 ? bits : ~(bits | UINT64_C(1) << 63);
}

/* Sort by key, equal ones as they were; `spare` is as long. */
static void sort(ordered *of, ordered *spare, int64_t count) {
  const int64_t run = 12;
  for (int64_t first = 0; first < count; first += run) {
    int64_t last = first + run < count ? first + run : count;
    for (int64_t i = first + 1; i < last; i++) {
      ordered moved = of[i];
      int64_t j = i;
      for (; j > first && of[j - 1].key > moved.key; j--) of[j] = of[j - 1];
      of[j] = moved;
    }
  }
  ordered *from = of, *to = spare;
  for (int64_t width = run; width < count; width *= 2) {
    for (int64_t first = 0; first < count; first += 2 * width) {
      int64_t middle = first + width < count ? first + width : count;
      int64_t last = first + 2 * width < count ? first + 2 * width : count;
      int64_t a = first, b = middle;
      for (int64_t i = first; i < last; i++) to[i] = a < middle && (b == last || from[a].key <= from[b].key) ? from[a++] : from[b++];
    }
    ordered *other = from;
    from = to;
    to = other;
  }
  if (from != of) memcpy(of, from, (size_t)count * sizeof *of);
}

/* Empty a table of numbers with at least twice as many places as `count`; return by how much to shift a hash. */
static int emptied(list *table, int64_t count) {
  int bits = 4;
  while ((INT64_C(1) << bits) < 2 * count) bits++;
  if (!room(table, INT64_C(1) << bits, sizeof(int32_t))) return 0;
  memset(table->at, 0xff, sizeof(int32_t) << bits);
  return 64 - bits;
}

/* All tokens stay where they are for one more frame. Return the best score. */
static int stay(search *s, const double *scores, double *most) {
  int64_t count = s->tokens.used;
  if (!room(&s->stayed, count, sizeof(token)) || !room(&s->best, count, sizeof(double))) return 0;
  token *stayed = TOKENS(s->stayed);
  double *before = SCORES(s->best);
  *most = -INFINITY;
  for (int64_t i = 0; i < count; i++) {
    token now = TOKENS(s->tokens)[i];
    before[i] = best_of(&now);
    if (!(now.silent > now.said)) now.step_silent = now.step_said;
    now.said += scores[s->graph.phone[now.node]];
    now.silent = before[i] + scores[BLANK];
    *most = larger(*most, best_of(&now));
    stayed[i] = now;
  }
  s->stayed.used = count;
  return 1;
}

/* List the ways into next nodes that are good enough, each node with the same words once, by its best way. */
static int enter(search *s, const double *entering, double likeliest, double floor) {
  const graph *g = &s->graph;
  const double needed = floor - likeliest - s->most_bonus, fit = floor - s->most_bonus;
  int64_t count = 0;
  for (int64_t i = 0; i < s->tokens.used; i++) {
    const token *from = TOKENS(s->tokens) + i;
    const double before = SCORES(s->best)[i];
    if (!(before >= needed)) continue;
    const int32_t own = g->phone[from->node], last = g->arc_start[from->node + 1];
    for (int32_t arc = g->arc_start[from->node]; arc < last; arc++) {
      const int32_t phone = g->arc_phone[arc], word = g->arc_word[arc];
      if (!(before + entering[phone] >= fit)) continue;
      /* The same phone again needs a blank between. */
      const double left = (phone == own ? from->silent : before) + s->bonus[word < 0 ? g->words : word];
      const double score = left + entering[phone];
      if (!(score > -INFINITY)) continue;
      if (!room(&s->entries, count + 1, sizeof(entry))) return 0;
      const uint64_t words = word < 0 ? from->words : from->words * BASE + ((uint64_t)word + 2);
      const uint64_t key = words + (uint64_t)g->arc_node[arc] * NODE;
      ENTRIES(s->entries)[count++] = (entry){key, score, left, (int32_t)i, arc};
    }
  }
  int64_t kept = 0;
  entry *entries = ENTRIES(s->entries);
  if (count) {
    const int shift = emptied(&s->table, count);
    if (!shift) return 0;
    const uint64_t mask = (UINT64_C(1) << (64 - shift)) - 1;
    int32_t *table = NUMBERS(s->table);
    for (int64_t i = 0; i < count; i++) {
      const entry one = entries[i];
      uint64_t place = one.key >> shift;
      while (table[place] >= 0 && entries[table[place]].key != one.key) place = (place + 1) & mask;
      if (table[place] < 0) {
        table[place] = (int32_t)kept;
        entries[kept++] = one;
      } else if (one.score > entries[table[place]].score) {
        entries[table[place]] = one;
      }
    }
  }
  s->entries.used = kept;
  return 1;
}

static int64_t find(const token *among, int64_t count, uint64_t key) {
  int64_t first = 0;
  while (count > 0) {
    const int64_t half = count / 2;
    if (among[first + half].key < key) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return first;
}

/* Put better ways into the tokens that stayed, and list those that are new; both become steps, in the order of keys. */
static int arrive(search *s, double floor, int32_t frame) {
  const graph *g = &s->graph;
  token *stayed = TOKENS(s->stayed);
  const int64_t there = s->stayed.used, count = s->entries.used;
  int64_t better = 0, came = 0;
  s->came.used = 0;
  if (!room(&s->order, count, sizeof(ordered)) || !room(&s->spare, count, sizeof(ordered))) return 0;
  if (!room(&s->came, count, sizeof(token)) || !room(&s->next, count, sizeof(int32_t))) return 0;
  for (int64_t i = 0; i < count; i++) {
    const entry *one = ENTRIES(s->entries) + i;
    const int64_t at = find(stayed, there, one->key);
    const int known = at < there && stayed[at].key == one->key;
    if (!(one->score > (known ? stayed[at].said : floor))) continue;
    NUMBERS(s->next)[i] = known ? (int32_t)at : -1;
    ORDERED(s->order)[better++] = (ordered){one->key, i};
  }
  if (!room(&s->steps, s->steps.used + better, sizeof(step))) return 0;
  sort(ORDERED(s->order), ORDERED(s->spare), better);
  for (int64_t i = 0; i < better; i++) {
    const int64_t index = ORDERED(s->order)[i].index;
    const entry *one = ENTRIES(s->entries) + index;
    const token *from = TOKENS(s->tokens) + one->from;
    const int32_t node = g->arc_node[one->arc], word = g->arc_word[one->arc], at = NUMBERS(s->next)[index];
    const int again = g->arc_phone[one->arc] == g->phone[from->node];
    const int32_t before = again || from->silent > from->said ? from->step_silent : from->step_said;
    const int32_t number = (int32_t)s->steps.used++;
    ((step *)s->steps.at)[number] = (step){one->left, before, node, word, frame};
    if (at >= 0) {
      stayed[at].said = one->score;
      stayed[at].step_said = number;
    } else {
      const uint64_t words = word < 0 ? from->words : from->words * BASE + ((uint64_t)word + 2);
      TOKENS(s->came)[came++] = (token){one->key, words, one->score, -INFINITY, node, number, number, 0};
    }
  }
  s->came.used = came;
  return 1;
}

/* Mark in `best`, as NaN, all tokens but the best so many of each node; of equal ones the first are kept. */
static int crowded(search *s, const token *tokens, int64_t count) {
  const int64_t most = s->limits.per_node;
  double *best = SCORES(s->best);
  if (!room(&s->next, count, sizeof(int32_t)) || !room(&s->order, count, sizeof(ordered))) return 0;
  if (!room(&s->spare, count, sizeof(ordered))) return 0;
  const int shift = emptied(&s->table, count);
  if (!shift) return 0;
  const uint64_t mask = (UINT64_C(1) << (64 - shift)) - 1;
  int32_t *table = NUMBERS(s->table), *next = NUMBERS(s->next);
  for (int64_t i = count - 1; i >= 0; i--) { /* from the last, so that each list begins with its first */
    uint64_t place = (uint64_t)tokens[i].node * NODE >> shift;
    while (table[place] >= 0 && tokens[table[place]].node != tokens[i].node) place = (place + 1) & mask;
    next[i] = table[place];
    table[place] = (int32_t)i;
  }
  for (uint64_t place = 0; place <= mask; place++) {
    int64_t here = 0;
    for (int32_t i = table[place]; i >= 0; i = next[i]) ORDERED(s->order)[here++] = (ordered){falling(best[i]), i};
    if (here <= most) continue;
    sort(ORDERED(s->order), ORDERED(s->spare), here);
    for (int64_t i = most; i < here; i++) best[ORDERED(s->order)[i].index] = NAN;
  }
  return 1;
}

/* Return the score of which `most` are no worse, byte by byte from the highest; NaN count as worst. */
static uint64_t worst_of_best(const double *best, int64_t count, int64_t most) {
  uint64_t found = 0, known = 0;
  for (int shift = 56; shift >= 0; shift -= 8) {
    int64_t of[256] = {0};
    for (int64_t i = 0; i < count; i++) {
      const uint64_t value = falling(best[i]);
      if (!isnan(best[i]) && (value & known) == found) of[value >> shift & 255]++;
    }
    uint64_t byte = 0;
    while (byte < 255 && of[byte] < most) most -= of[byte++];
    found |= byte << shift;
    known |= UINT64_C(255) << shift;
  }
  return found;
}

/* Drop who is too far behind, and join who came to who stayed, by key. */
static int prune(search *s) {
  const int64_t there = s->stayed.used, came = s->came.used;
  token *stayed = TOKENS(s->stayed), *new = TOKENS(s->came);
  double most = -INFINITY;
  for (int64_t i = 0; i < there; i++) most = larger(most, best_of(stayed + i));
  for (int64_t i = 0; i < came; i++) most = larger(most, new[i].said);
  const double floor = larger(most - s->limits.beam, LOWEST);
  if (!room(&s->tokens, there + came, sizeof(token)) || !room(&s->best, there + came, sizeof(double))) return 0;
  token *tokens = TOKENS(s->tokens);
  double *best = SCORES(s->best);
  int64_t count = 0, a = 0, b = 0;
  while (a < there || b < came) {
    const token *one = b == came || (a < there && stayed[a].key < new[b].key) ? stayed + a++ : new + b++;
    const double score = best_of(one);
    if (!(score >= floor)) continue;
    best[count] = score;
    tokens[count++] = *one;
  }
  int64_t left = count;
  if (came && s->limits.per_node && count > s->limits.per_node) {
    if (!crowded(s, tokens, count)) return 0;
    left = 0;
    for (int64_t i = 0; i < count; i++) left += !isnan(best[i]);
  }
  uint64_t worst = UINT64_MAX;
  if (came && s->limits.max_active && left > s->limits.max_active) worst = worst_of_best(best, count, s->limits.max_active);
  if (left < count || worst < UINT64_MAX) {
    left = 0;
    for (int64_t i = 0; i < count; i++)
      if (!isnan(best[i]) && falling(best[i]) <= worst) tokens[left++] = tokens[i];
  }
  s->tokens.used = left;
  return 1;
}

static int hear(search *s, const double *scores, int32_t frame) {
  double entering[SYMBOLS], likeliest = -INFINITY, top = scores[0], most;
  for (int i = 1; i < SYMBOLS; i++) top = larger(top, scores[i]);
  entering[BLANK] = -INFINITY;
  for (int i = 1; i < SYMBOLS; i++) {
    entering[i] = scores[i] >= top - s->limits.phone_beam ? scores[i] + s->limits.phone_bonus : -INFINITY;
    likeliest = larger(likeliest, entering[i]);
  }
  if (!stay(s, scores, &most)) return 0;
  const double floor = larger(most - s->limits.beam, LOWEST);
  return enter(s, entering, likeliest, floor) && arrive(s, floor, frame) && prune(s);
}

/* What Python calls. Names begin with hearth_, since a library's names are a process's. */

/* Return the number of the source that this was made of. */
uint32_t hearth_source(void) { return SOURCE_NUMBER; }

/* Return whether every number in a graph leads to somewhere in it; lengths are as the caller says. */
int hearth_graph_fits(const graph *g) {
  if (g->nodes < 1 || g->arcs < 0 || g->words < 0 || g->root < 0 || g->root >= g->nodes) return 0;
  if (g->nodes > INT32_MAX || g->arcs > INT32_MAX || g->words > INT32_MAX) return 0;
  if (g->arc_start[0] != 0 || g->arc_start[g->nodes] != g->arcs) return 0;
  for (int64_t i = 0; i < g->nodes; i++)
    if (g->phone[i] < 0 || g->phone[i] >= SYMBOLS || g->arc_start[i] > g->arc_start[i + 1]) return 0;
  for (int64_t i = 0; i < g->arcs; i++) {
    if (g->arc_node[i] < 0 || g->arc_node[i] >= g->nodes || g->arc_word[i] < -1 || g->arc_word[i] >= g->words) return 0;
    if (g->arc_phone[i] < 0 || g->arc_phone[i] >= SYMBOLS) return 0;
  }
  return 1;
}

void hearth_free(search *s) {
  if (!s) return;
  list *lists[] = {&s->tokens, &s->steps, &s->stayed, &s->best,  &s->entries,
                   &s->came,   &s->order, &s->spare,  &s->table, &s->next};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) free(lists[i]->at);
  free(s->bonus);
  free(s);
}

static search *begun(const graph *g, const limits *l, const double *bonus) {
  search *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  const size_t size = ((size_t)g->words + 1) * sizeof(double);
  s->graph = *g;
  s->limits = *l;
  s->bonus = malloc(size);
  if (!s->bonus) {
    free(s);
    return NULL;
  }
  memcpy(s->bonus, bonus, size);
  s->most_bonus = bonus[0];
  for (int64_t i = 1; i <= g->words; i++) s->most_bonus = larger(s->most_bonus, bonus[i]);
  return s;
}

/* Return a search that heard nothing yet, NULL if there is no memory; bonus is one for each word, and 0 for none. */
search *hearth_new(const graph *g, const limits *l, const double *bonus) {
  search *s = begun(g, l, bonus);
  if (s && !room(&s->tokens, 1, sizeof(token))) {
    hearth_free(s);
    return NULL;
  }
  if (s) {
    const int32_t root = (int32_t)g->root;
    TOKENS(s->tokens)[0] = (token){(uint64_t)root * NODE, 0, -INFINITY, 0.0, root, NO_STEP, NO_STEP, 0};
    s->tokens.used = 1;
  }
  return s;
}

/* Return a search in the same state, NULL if there is no memory. */
search *hearth_copy(const search *of) {
  search *s = begun(&of->graph, &of->limits, of->bonus);
  if (!s) return NULL;
  s->failed = of->failed;
  if (!room(&s->tokens, of->tokens.used, sizeof(token)) || !room(&s->steps, of->steps.used, sizeof(step))) {
    hearth_free(s);
    return NULL;
  }
  if (of->tokens.used) memcpy(s->tokens.at, of->tokens.at, (size_t)of->tokens.used * sizeof(token));
  if (of->steps.used) memcpy(s->steps.at, of->steps.at, (size_t)of->steps.used * sizeof(step));
  s->tokens.used = of->tokens.used;
  s->steps.used = of->steps.used;
  return s;
}

/* Hear frames, shape (count, 40), of which the first has this number. Return 0 if there is no memory. */
int hearth_feed(search *s, const double *scores, int64_t count, int32_t frame) {
  for (int64_t i = 0; i < count && !s->failed; i++) s->failed = !hear(s, scores + i * SYMBOLS, frame + (int32_t)i);
  return !s->failed;
}

/* Return the tokens and their number; they stay where they are until the next frame. */
const token *hearth_tokens(const search *s, int64_t *count) {
  *count = s->tokens.used;
  return TOKENS(s->tokens);
}

/* Write the last `most` steps up to one, the last first; return how many there are in all. */
int64_t hearth_path(const search *s, int32_t number, step *into, int64_t most) {
  int64_t count = 0;
  while (number >= 0 && number < s->steps.used) {
    const step *one = (const step *)s->steps.at + number;
    if (count < most) into[count] = *one;
    count++;
    number = one->before; /* always lower */
  }
  return count;
}
