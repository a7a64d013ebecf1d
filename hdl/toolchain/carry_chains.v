// Adders as carry chains of ECP5 whose first position makes the carry that they begin with, where that is a constant.
//
// Place and route puts a carry cell of two tables in front of a chain whose first cell is given a carry, and one behind
// a chain of whose last cell the carry is used. Here the first position does the former, and of a width that leaves a
// position free at the end that one does the latter.

(* techmap_celltype = "$alu" *)
module _70_carry_chain (A, B, CI, BI, X, Y, CO);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_CI_ = 0;
  parameter _TECHMAP_CONSTVAL_CI_ = 0;

  (* force_downto *) input [A_WIDTH-1:0] A;
  (* force_downto *) input [B_WIDTH-1:0] B;
  input CI, BI;
  (* force_downto *) output [Y_WIDTH-1:0] X, Y, CO;

  // short ones are left to tables
  wire _TECHMAP_FAIL_ = Y_WIDTH <= 4 || !_TECHMAP_CONSTMSK_CI_;

  localparam CELLS = (Y_WIDTH + 2) / 2;
  localparam [15:0] FIRST = _TECHMAP_CONSTVAL_CI_ ? 16'h000f : 16'h0000;
  // by inputs d = 1, c, b, a: a ^ b ^ c is passed on, else a is; behind the last position there is nothing
  localparam [15:0] SUM = 16'b1001_0110_1010_1010;

  (* force_downto *) wire [Y_WIDTH-1:0] wide_a, wide_b;
  \$pos #(.A_SIGNED(A_SIGNED), .A_WIDTH(A_WIDTH), .Y_WIDTH(Y_WIDTH)) extend_a (.A(A), .Y(wide_a));
  \$pos #(.A_SIGNED(B_SIGNED), .A_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)) extend_b (.A(B), .Y(wide_b));

  (* force_downto *) wire [2*CELLS-1:0] at_a = {wide_a, 1'b0};
  (* force_downto *) wire [2*CELLS-1:0] at_b = {wide_b, 1'b0};
  (* force_downto *) wire [2*CELLS-1:0] sum;
  (* force_downto *) wire [CELLS:0] carry;
  assign carry[0] = 1'bx;

  genvar k;
  generate for (k = 0; k < CELLS; k = k + 1) begin : cells
    CCU2C #(
      .INIT0(k == 0 ? FIRST : SUM),
      .INIT1(2 * k + 1 > Y_WIDTH ? 16'h0000 : SUM),
      .INJECT1_0("NO"),
      .INJECT1_1("NO")
    ) cell_k (
      .CIN(carry[k]),
      .A0(at_a[2*k]), .B0(at_b[2*k]), .C0(k == 0 ? 1'b0 : BI), .D0(1'b1), .S0(sum[2*k]),
      .A1(at_a[2*k+1]), .B1(at_b[2*k+1]), .C1(BI), .D1(1'b1), .S1(sum[2*k+1]),
      .COUT(carry[k+1])
    );
  end endgenerate

  assign Y = sum[Y_WIDTH:1];
  assign X = wide_a ^ wide_b ^ {Y_WIDTH{BI}};
  // the carry into a position is what its sum differs by from what is added
  generate if (Y_WIDTH > 1)
    assign CO[Y_WIDTH-2:0] = Y[Y_WIDTH-1:1] ^ X[Y_WIDTH-1:1];
  endgenerate
  assign CO[Y_WIDTH-1] = Y_WIDTH % 2 ? carry[CELLS] : sum[2*CELLS-1];
endmodule
