/* store_schema.c: the tables of the database, their version, and what a new one starts with.
 * Statements on the rows are in store_internal.h. */
#include "store_internal.h"

#include <stdio.h>

enum { SCHEMA_VERSION = 3 };

static const char schema_1[] =
    "CREATE TABLE clients ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),"
    "  email TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(email) BETWEEN 3 AND 254),"
    "  phone TEXT CHECK (phone IS NULL OR length(phone) BETWEEN 1 AND 40),"
    "  created_at TEXT NOT NULL"
    ");"
    "CREATE TABLE inventory ("
    "  sku TEXT PRIMARY KEY NOT NULL CHECK (length(sku) BETWEEN 1 AND 64),"
    "  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),"
    "  quantity INTEGER NOT NULL CHECK (quantity >= 0),"
    "  low_stock_threshold INTEGER NOT NULL CHECK (low_stock_threshold >= 0),"
    "  price_cents INTEGER NOT NULL CHECK (price_cents BETWEEN 0 AND 10000000),"
    "  updated_at TEXT NOT NULL"
    ") WITHOUT ROWID;"
    "CREATE TABLE orders ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  client_id INTEGER NOT NULL REFERENCES clients (id),"
    "  status TEXT NOT NULL"
    "    CHECK (status IN ('pending', 'confirmed', 'shipped', 'delivered', 'cancelled')),"
    "  total_cents INTEGER NOT NULL CHECK (total_cents >= 0),"
    "  created_at TEXT NOT NULL,"
    "  updated_at TEXT NOT NULL"
    ");"
    "CREATE INDEX orders_by_client ON orders (client_id);"
    "CREATE TABLE order_items (" /* the rowid keeps the lines in the order of the request */
    "  order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,"
    "  sku TEXT NOT NULL REFERENCES inventory (sku),"
    "  quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 1000000),"
    "  unit_price_cents INTEGER NOT NULL CHECK (unit_price_cents BETWEEN 0 AND 10000000),"
    "  UNIQUE (order_id, sku)"
    ");"
    "CREATE INDEX order_items_by_sku ON order_items (sku);";

static const char schema_2[] = "CREATE TABLE outbox ("
                               "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
                               "  node TEXT NOT NULL,"
                               "  producer TEXT NOT NULL,"
                               "  type TEXT NOT NULL,"
                               "  user_id TEXT,"
                               "  data TEXT NOT NULL"
                               ");"
                               "PRAGMA user_version = 2;";

static const char schema_3[] = "ALTER TABLE outbox ADD COLUMN key TEXT;"
                               "PRAGMA user_version = 3;";

static const char seed[] =
    "INSERT INTO clients (name, email, phone, created_at) VALUES"
    "  ('Ada Lovelace', 'ada@example.com', '+44 20 7946 0001', " STORE_NOW "),"
    "  ('Grace Hopper', 'grace@example.com', '+1 212 555 0102', " STORE_NOW "),"
    "  ('Alan Turing', 'alan@example.com', NULL, " STORE_NOW ");"
    "INSERT INTO inventory (sku, name, quantity, low_stock_threshold, price_cents, updated_at)"
    " VALUES"
    "  ('WIDGET-1', 'Widget', 100000, 100, 1999, " STORE_NOW "),"
    "  ('GADGET-1', 'Gadget', 50000, 50, 4950, " STORE_NOW "),"
    "  ('CABLE-1', 'Cable, 2 m', 200000, 500, 795, " STORE_NOW "),"
    "  ('SENSOR-1', 'Temperature sensor', 5000, 100, 2490, " STORE_NOW "),"
    "  ('BATTERY-1', 'Battery pack', 1000, 50, 3275, " STORE_NOW "),"
    "  ('LIMITED-1', 'Limited edition', 10, 5, 19900, " STORE_NOW ");";

static bool read_version(sqlite3 *db, int *version)
{
    sqlite3_stmt *statement;
    bool found;

    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK)
        return false;
    found = sqlite3_step(statement) == SQLITE_ROW;
    if (found)
        *version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return found;
}

static bool run(sqlite3 *db, const char *statements)
{
    return sqlite3_exec(db, statements, NULL, NULL, NULL) == SQLITE_OK;
}

bool store_prepare_schema(sqlite3 *db, char *problem, size_t problem_size)
{
    int version = 0;

    /* The version is read within the transaction: two processes may start on a new database. */
    if (!run(db, "BEGIN IMMEDIATE") || !read_version(db, &version)) {
        snprintf(problem, problem_size, "%s", sqlite3_errmsg(db));
        return false;
    }
    if (version < 0 || version > SCHEMA_VERSION) {
        snprintf(problem, problem_size,
                 "the database has version %d, but this program knows only versions up to %d",
                 version, SCHEMA_VERSION);
        return false;
    }
    if ((version < 1 && (!run(db, schema_1) || !run(db, seed))) ||
        (version < 2 && !run(db, schema_2)) || (version < 3 && !run(db, schema_3))) {
        snprintf(problem, problem_size, "%s", sqlite3_errmsg(db));
        return false;
    }
    if (!run(db, "COMMIT")) {
        snprintf(problem, problem_size, "%s", sqlite3_errmsg(db));
        return false;
    }
    return true;
}
