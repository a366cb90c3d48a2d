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
#define FEW_STEPS 20000
#define NOT_YET 0
#define PEER_SHARE 0.8
/* Tokens lie in no order of the graph: what one needs of it is asked for so many tokens before. */
#define AHEAD 8
#define SOON(address) __builtin_prefetch(address)
#define LOWEST (-1e300)
#define BASE UINT64_C(0x9E3779B97F4A7C15)
#define NODE UINT64_C(0xD1342543DE82EF95)

/* Laid out as in `compiled.py`. */
typedef struct {
  int64_t nodes, arcs, words, root;
  const int32_t *phone, *arc_start, *arc_node, *arc_phone, *arc_word;
} graph;

typedef struct {
  double phone_bonus, beam, peer_beam, phone_beam;
  int64_t max_active, per_node;
} limits;

typedef struct {
  uint64_t key, words;
  double said, silent;
  int32_t node, step_said, step_silent, began;
} token;

typedef struct {
  double score;
  int32_t before, node, word, frame;
} step;

/* A token that may enter a node; `left` is its score before the node's phone. */
typedef struct {
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
  int64_t steps_at_most;
  list tokens, steps;                                        /* what was heard */
  list stayed, best, peers, entries, came, order, spare, table, next, keys; /* of one frame */
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

/* When a token that leaves in a frame began to speak. */
static inline int32_t begun_by(const token *from, int32_t frame) {
  return from->began == NOT_YET ? frame + 1 : from->began;
}

/* The words of a token that leaves on an arc. */
static inline uint64_t longer(const token *from, int32_t word) {
  return word < 0 ? from->words : from->words * BASE + ((uint64_t)word + 2);
}

/* Numbers in the order of scores, the best one lowest. */
static inline uint64_t falling(double score) {
  uint64_t bits;
  score += 0.0; /* so that -0.0 is 0.0 */
  memcpy(&bits, &score, sizeof bits);
  return bits >> 63 ? bits : ~(bits | UINT64_C(1) << 63);
}

/* Sort by key, equal ones as they were; `spare` is as long. */
static void merge_sort(ordered *of, ordered *spare, int64_t count) {
  for (int64_t width = 1; width < count; width *= 2) {
    for (int64_t first = 0; first < count; first += 2 * width) {
      const int64_t middle = first + width < count ? first + width : count;
      const int64_t last = middle + width < count ? middle + width : count;
      int64_t a = first, b = middle;
      for (int64_t i = first; i < last; i++)
        spare[i] = a < middle && (b == last || of[a].key <= of[b].key) ? of[a++] : of[b++];
    }
    memcpy(of, spare, (size_t)count * sizeof *of);
  }
}

/* The same for keys that are hashes: by their first bits into a place each, and there one after the other. */
static int sort_hashes(list *of, list *spare, list *starts, int64_t count) {
  if (!room(spare, count, sizeof(ordered))) return 0;
  int bits = 4;
  while ((INT64_C(1) << bits) < count) bits++;
  const int64_t places = INT64_C(1) << bits;
  if (!room(starts, places, sizeof(int32_t))) return 0;
  int32_t *start = NUMBERS(*starts), next = 0, most = 0;
  ordered *from = ORDERED(*of), *to = ORDERED(*spare);
  memset(start, 0, sizeof *start * (size_t)places);
  for (int64_t i = 0; i < count; i++) start[from[i].key >> (64 - bits)]++;
  for (int64_t i = 0; i < places; i++) {
    const int32_t here = start[i];
    most = here > most ? here : most;
    start[i] = next;
    next += here;
  }
  if (most > 64) { /* somebody made names for it */
    merge_sort(from, to, count);
    return 1;
  }
  for (int64_t i = 0; i < count; i++) to[start[from[i].key >> (64 - bits)]++] = from[i];
  for (int64_t i = 1; i < count; i++) {
    const ordered moved = to[i];
    int64_t j = i;
    for (; j > 0 && to[j - 1].key > moved.key; j--) to[j] = to[j - 1];
    to[j] = moved;
  }
  const list other = *of;
  *of = *spare;
  *spare = other;
  return 1;
}

/* Empty a table of numbers with at least twice as many places as `count`; return by how much to shift a hash. */
static int emptied(list *table, int64_t count) {
  int bits = 4;
  while ((INT64_C(1) << bits) < 2 * count) bits++;
  if (!room(table, INT64_C(1) << bits, sizeof(int32_t))) return 0;
  memset(table->at, 0xff, sizeof(int32_t) << bits);
  return 64 - bits;
}

/* Take tokens for the best so far and of their peers if they are. */
static void rank(search *s, const token *tokens, int64_t count, double *most) {
  double *peers = SCORES(s->peers);
  for (int64_t i = 0; i < count; i++) {
    const double score = best_of(tokens + i);
    *most = larger(*most, score);
    peers[tokens[i].began] = larger(peers[tokens[i].began], score);
  }
}

/* Return below what a token is too far behind, of all that were ranked and of its peers. */
static inline double lowest_of(const search *s, double floor, int32_t began) {
  return larger(floor, SCORES(s->peers)[began] - s->limits.peer_beam);
}

/* All tokens stay where they are for one more frame. */
static int stay(search *s, const double *scores) {
  int64_t count = s->tokens.used;
  if (!room(&s->stayed, count, sizeof(token)) || !room(&s->best, count, sizeof(double))) return 0;
  token *stayed = TOKENS(s->stayed);
  double *before = SCORES(s->best);
  for (int64_t i = 0; i < count; i++) {
    token now = TOKENS(s->tokens)[i];
    if (i + AHEAD < count) SOON(s->graph.phone + TOKENS(s->tokens)[i + AHEAD].node);
    before[i] = best_of(&now);
    if (!(now.silent > now.said)) now.step_silent = now.step_said;
    now.said += scores[s->graph.phone[now.node]];
    now.silent = before[i] + scores[BLANK];
    stayed[i] = now;
  }
  s->stayed.used = count;
  return 1;
}

/* List the ways into next nodes that are good enough, sorted by key. */
static int enter(search *s, const double *entering, double likeliest, double floor, int32_t frame) {
  const graph *g = &s->graph;
  int64_t count = 0;
  for (int64_t i = 0; i < s->tokens.used; i++) {
    const token *from = TOKENS(s->tokens) + i;
    if (i + 2 * AHEAD < s->tokens.used) SOON(g->arc_start + from[2 * AHEAD].node);
    if (i + AHEAD < s->tokens.used) SOON(g->arc_phone + g->arc_start[from[AHEAD].node]);
    const double before = SCORES(s->best)[i];
    const double lowest = lowest_of(s, floor, begun_by(from, frame)), fit = lowest - s->most_bonus;
    if (!(before >= lowest - likeliest - s->most_bonus)) continue;
    const int32_t own = g->phone[from->node], last = g->arc_start[from->node + 1];
    for (int32_t arc = g->arc_start[from->node]; arc < last; arc++) {
      const int32_t phone = g->arc_phone[arc], word = g->arc_word[arc];
      if (!(before + entering[phone] >= fit)) continue;
      /* The same phone again needs a blank between. */
      const double left = (phone == own ? from->silent : before) + s->bonus[word < 0 ? g->words : word];
      const double score = left + entering[phone];
      if (!(score > lowest)) continue;
      if (!room(&s->entries, count + 1, sizeof(entry)) || !room(&s->order, count + 1, sizeof(ordered))) return 0;
      ORDERED(s->order)[count] = (ordered){longer(from, word) + (uint64_t)g->arc_node[arc] * NODE, count};
      ENTRIES(s->entries)[count++] = (entry){score, left, (int32_t)i, arc};
    }
  }
  return sort_hashes(&s->order, &s->spare, &s->table, count) && (s->order.used = count, 1);
}

/* Put better ways into the tokens that stayed, and list those that are new; both become steps, in the order of keys. */
static int arrive(search *s, int32_t frame) {
  const graph *g = &s->graph;
  const ordered *order = ORDERED(s->order);
  const entry *entries = ENTRIES(s->entries);
  token *stayed = TOKENS(s->stayed);
  const int64_t there = s->stayed.used, count = s->order.used;
  int64_t at = 0, came = 0;
  if (!room(&s->came, count, sizeof(token)) || !room(&s->steps, s->steps.used + count, sizeof(step))) return 0;
  for (int64_t i = 0, next; i < count; i = next) {
    const uint64_t key = order[i].key;
    const entry *best = entries + order[i].index;
    for (next = i + 1; next < count && order[next].key == key; next++)
      if (entries[order[next].index].score > best->score) best = entries + order[next].index;
    while (at < there && stayed[at].key < key) at++;
    const int known = at < there && stayed[at].key == key;
    if (known && !(best->score > stayed[at].said)) continue;
    const token *from = TOKENS(s->tokens) + best->from;
    const int32_t node = g->arc_node[best->arc], word = g->arc_word[best->arc];
    const int again = g->arc_phone[best->arc] == g->phone[from->node];
    const int32_t before = again || from->silent > from->said ? from->step_silent : from->step_said;
    const int32_t number = (int32_t)s->steps.used++;
    ((step *)s->steps.at)[number] = (step){best->left, before, node, word, frame};
    if (known) {
      if (best->score > best_of(stayed + at)) stayed[at].began = begun_by(from, frame);
      stayed[at].said = best->score;
      stayed[at].step_said = number;
    } else {
      TOKENS(s->came)[came++] = (token){key, longer(from, word), best->score, -INFINITY, node, number, number,
                                        begun_by(from, frame)};
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
    for (int32_t i = table[place]; i >= 0; i = next[i]) here++;
    if (here <= most) continue;
    here = 0;
    for (int32_t i = table[place]; i >= 0; i = next[i]) ORDERED(s->order)[here++] = (ordered){falling(best[i]), i};
    merge_sort(ORDERED(s->order), ORDERED(s->spare), here);
    for (int64_t i = most; i < here; i++) best[ORDERED(s->order)[i].index] = NAN;
  }
  return 1;
}

/* Return the key of which `most` are no higher, byte by byte from the first. */
static uint64_t lowest(const uint64_t *keys, int64_t count, int64_t most) {
  uint64_t found = 0, known = 0;
  for (int shift = 56; shift >= 0; shift -= 8) {
    int64_t of[256] = {0};
    for (int64_t i = 0; i < count; i++) of[keys[i] >> shift & 255] += (keys[i] & known) == found;
    uint64_t byte = 0;
    while (byte < 255 && of[byte] < most) most -= of[byte++];
    found |= byte << shift;
    known |= UINT64_C(255) << shift;
  }
  return found;
}

/* Drop who is too far behind, and join who came to who stayed, by key. `most` is the best score of who stayed. */
static int prune(search *s, double most) {
  const int64_t there = s->stayed.used, came = s->came.used;
  token *stayed = TOKENS(s->stayed), *new = TOKENS(s->came);
  rank(s, stayed, there, &most);
  rank(s, new, came, &most);
  const double floor = larger(most - s->limits.beam, LOWEST);
  if (!room(&s->tokens, there + came, sizeof(token)) || !room(&s->best, there + came, sizeof(double))) return 0;
  token *tokens = TOKENS(s->tokens);
  double *best = SCORES(s->best);
  int64_t count = 0, a = 0, b = 0;
  while (a < there || b < came) {
    const token *one = b == came || (a < there && stayed[a].key < new[b].key) ? stayed + a++ : new + b++;
    const double score = best_of(one);
    if (!(score >= lowest_of(s, floor, one->began))) continue;
    best[count] = score;
    tokens[count++] = *one;
  }
  s->tokens.used = count;
  if (!came) return 1;
  if (s->limits.per_node && count > s->limits.per_node) {
    if (!crowded(s, tokens, count)) return 0;
    int64_t left = 0;
    for (int64_t i = 0; i < count; i++) {
      if (isnan(best[i])) continue;
      best[left] = best[i];
      tokens[left++] = tokens[i];
    }
    s->tokens.used = count = left;
  }
  if (s->limits.max_active && count > s->limits.max_active) {
    if (!room(&s->keys, count, sizeof(uint64_t))) return 0;
    uint64_t *keys = s->keys.at;
    for (int64_t i = 0; i < count; i++) keys[i] = falling(best[i] - PEER_SHARE * SCORES(s->peers)[tokens[i].began]);
    const uint64_t worst = lowest(keys, count, s->limits.max_active);
    int64_t left = 0;
    for (int64_t i = 0; i < count; i++)
      if (keys[i] <= worst) tokens[left++] = tokens[i];
    s->tokens.used = left;
  }
  return 1;
}

/* Keep of the steps those that lie behind a token, renumbered, once there are so many. */
static int forget(search *s) {
  const int64_t used = s->steps.used;
  if (used <= s->steps_at_most) return 1;
  if (!room(&s->table, used, sizeof(int32_t))) return 0;
  int32_t *number = NUMBERS(s->table), kept = 0;
  step *steps = s->steps.at;
  memset(number, 0, sizeof *number * (size_t)used);
  for (int64_t i = 0; i < s->tokens.used; i++) {
    const token *one = TOKENS(s->tokens) + i;
    for (int32_t at = one->step_said; at >= 0 && !number[at]; at = steps[at].before) number[at] = 1;
    for (int32_t at = one->step_silent; at >= 0 && !number[at]; at = steps[at].before) number[at] = 1;
  }
  for (int64_t i = 0; i < used; i++) {
    if (!number[i]) continue;
    steps[kept] = steps[i];
    if (steps[kept].before >= 0) steps[kept].before = number[steps[kept].before];
    number[i] = kept++;
  }
  for (int64_t i = 0; i < s->tokens.used; i++) {
    token *one = TOKENS(s->tokens) + i;
    if (one->step_said >= 0) one->step_said = number[one->step_said];
    if (one->step_silent >= 0) one->step_silent = number[one->step_silent];
  }
  s->steps.used = kept;
  s->steps_at_most = 2 * kept > FEW_STEPS ? 2 * kept : FEW_STEPS;
  return 1;
}

static int hear(search *s, const double *scores, int32_t frame) {
  double entering[SYMBOLS], likeliest = -INFINITY, top = scores[0], most = -INFINITY;
  for (int i = 1; i < SYMBOLS; i++) top = larger(top, scores[i]);
  entering[BLANK] = -INFINITY;
  for (int i = 1; i < SYMBOLS; i++) {
    entering[i] = scores[i] >= top - s->limits.phone_beam ? scores[i] + s->limits.phone_bonus : -INFINITY;
    likeliest = larger(likeliest, entering[i]);
  }
  if (!room(&s->peers, frame + INT64_C(2), sizeof(double)) || !stay(s, scores)) return 0;
  for (int64_t i = 0; i < frame + INT64_C(2); i++) SCORES(s->peers)[i] = -INFINITY;
  rank(s, TOKENS(s->stayed), s->stayed.used, &most);
  const double floor = larger(most - s->limits.beam, LOWEST);
  return enter(s, entering, likeliest, floor, frame) && arrive(s, frame) && prune(s, most) && forget(s);
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
  list *lists[] = {&s->tokens, &s->steps, &s->stayed, &s->best, &s->peers, &s->entries,
                   &s->came,   &s->order, &s->spare,  &s->table, &s->next, &s->keys};
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
    TOKENS(s->tokens)[0] = (token){(uint64_t)root * NODE, 0, -INFINITY, 0.0, root, NO_STEP, NO_STEP, NOT_YET};
    s->tokens.used = 1;
    s->steps_at_most = FEW_STEPS;
  }
  return s;
}

/* Return a search in the same state, NULL if there is no memory. */
search *hearth_copy(const search *of) {
  search *s = begun(&of->graph, &of->limits, of->bonus);
  if (!s) return NULL;
  s->failed = of->failed;
  s->steps_at_most = of->steps_at_most;
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
